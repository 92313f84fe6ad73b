/* What a request begins with, as a type: it is made of things by their names. */
#include "begin.h"

#define AS_TEXT(name) #name,
static const char *const thing_names[] = {BEGIN_THINGS(AS_TEXT)};
static const char *const names[] = {BEGIN_NAMES(AS_TEXT)};
static const char *const served_slots[] = {SERVED_SLOTS(AS_TEXT)};
static const char *const span_slots[] = {SPAN_SLOTS(AS_TEXT)};
static const char *const scope_slots[] = {SCOPE_SLOTS(AS_TEXT)};

static int
find_them(PyObject *type, const char *const *slots, int count, Py_ssize_t *at)
{
    for (int i = 0; i < count; i++) {
        PyObject *found = PyObject_GetAttrString(type, slots[i]);
        if (found == NULL)
            return -1;
        if (!Py_IS_TYPE(found, &PyMemberDescr_Type)) {
            PyErr_Format(PyExc_TypeError, "%s of %R is no slot", slots[i], type);
            Py_DECREF(found);
            return -1;
        }
        at[i] = ((PyMemberDescrObject *)found)->d_member->offset;
        Py_DECREF(found);
    }
    return 0;
}

static int
begin_traverse(PyObject *self, visitproc visit, void *arg)
{
    Begin *begin = (Begin *)self;
    for (int i = 0; i < B_COUNT; i++)
        Py_VISIT(begin->things[i]);
    Py_VISIT(begin->canonical);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int
begin_clear(PyObject *self)
{
    Begin *begin = (Begin *)self;
    for (int i = 0; i < B_COUNT; i++)
        Py_CLEAR(begin->things[i]);
    for (int i = 0; i < A_COUNT; i++)
        Py_CLEAR(begin->names[i]);
    Py_CLEAR(begin->canonical);
    Py_CLEAR(begin->agent_header);
    Py_CLEAR(begin->empty);
    Py_CLEAR(begin->false);
    return 0;
}

static void
begin_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    begin_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static int
begin_init(PyObject *self, PyObject *args, PyObject *given)
{
    Begin *begin = (Begin *)self;
    if (PyTuple_GET_SIZE(args) != 0)
        return PyErr_SetString(PyExc_TypeError, "by keyword only"), -1;
    for (int i = 0; i < B_COUNT; i++) {
        PyObject *thing = given ? PyDict_GetItemString(given, thing_names[i]) : NULL;
        if (thing == NULL)
            return PyErr_Format(PyExc_TypeError, "%s is missing", thing_names[i]), -1;
        Py_XSETREF(begin->things[i], Py_NewRef(thing));
    }
    for (int i = 0; i < A_COUNT; i++) {
        Py_XSETREF(begin->names[i], PyUnicode_InternFromString(names[i]));
        if (begin->names[i] == NULL)
            return -1;
    }
    Py_XSETREF(begin->agent_header, PyUnicode_InternFromString("User-Agent"));
    Py_XSETREF(begin->empty, PyTuple_New(0));
    Py_XSETREF(begin->false, Py_NewRef(Py_False));
    Py_XSETREF(begin->canonical, PyDict_New());
    if (!begin->agent_header || !begin->empty || !begin->canonical)
        return -1;
    if (find_them(IT(served_type), served_slots, SERVED_COUNT, begin->served_at) < 0 ||
        find_them(IT(span_type), span_slots, SPAN_COUNT, begin->span_at) < 0)
        return -1;
    return find_them(IT(scope_type), scope_slots, SCOPE_COUNT, begin->scope_at);
}

static PyType_Slot begin_slots[] = {
    {Py_tp_doc, "Begins the requests of one application: returns ServedRequest or None."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, begin_init},
    {Py_tp_call, begin_call},
    {Py_tp_traverse, begin_traverse},
    {Py_tp_clear, begin_clear},
    {Py_tp_dealloc, begin_dealloc},
    {0, NULL},
};

static PyType_Spec begin_spec = {
    .name = "otel_aiohttp_logs._speed._c.Begin",
    .basicsize = sizeof(Begin),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = begin_slots,
};

int
add_begin(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&begin_spec);
    int failed = type == NULL ? -1 : PyModule_AddObjectRef(module, "Begin", type);
    Py_XDECREF(type);
    return failed;
}
