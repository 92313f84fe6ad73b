/* What a request begins with, as a type: it is made of things by their names. */
#include "begin.h"

#include <stddef.h>
#include <structmember.h>

#define AS_TEXT(name) #name,
static const char *const thing_names[] = {BEGIN_THINGS(AS_TEXT)};
static const char *const names[] = {BEGIN_NAMES(AS_TEXT)};
static const char *const served_slots[] = {SERVED_SLOTS(AS_TEXT)};
static const char *const span_slots[] = {SPAN_SLOTS(AS_TEXT)};
static const char *const scope_slots[] = {SCOPE_SLOTS(AS_TEXT)};
static const char *const unrecorded_slots[] = {UNRECORDED_SLOTS(AS_TEXT)};

static int
find_them(PyObject *type, const char *const *slots, int count, Py_ssize_t *at)
{
    for (int i = 0; i < count; i++) {
        if (find_slot(type, slots[i], &at[i]) < 0)
            return -1;
    }
    return 0;
}

#define REMEMBERED(X)                                                                    \
    X(pipeline) X(sink) X(wanted) X(sampler) X(host) X(address) X(version)               \
    X(version_text) X(attributes) X(routes) X(peers) X(ending)
#define VISIT_LAST(name) Py_VISIT(begin->last.name);
#define CLEAR_LAST(name) Py_CLEAR(begin->last.name);

static int
begin_traverse(PyObject *self, visitproc visit, void *arg)
{
    Begin *begin = (Begin *)self;
    for (int i = 0; i < B_COUNT; i++)
        Py_VISIT(begin->things[i]);
    REMEMBERED(VISIT_LAST)
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
    REMEMBERED(CLEAR_LAST)
    Py_CLEAR(begin->empty);
    return 0;
}

static int
take_things(Begin *begin, PyObject *given)
{
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
    Py_XSETREF(begin->empty, PyTuple_New(0));
    Py_XSETREF(begin->last.routes, PyDict_New());
    Py_XSETREF(begin->last.peers, PyDict_New());
    return begin->empty && begin->last.routes && begin->last.peers ? 0 : -1;
}

static int
begin_init(PyObject *self, PyObject *args, PyObject *given)
{
    Begin *begin = (Begin *)self;
    begin->call = begin_call;
    if (PyTuple_GET_SIZE(args) != 0)
        return PyErr_SetString(PyExc_TypeError, "by keyword only"), -1;
    begin->state = PyType_GetModuleState(Py_TYPE(self));
    if (begin->state == NULL || take_things(begin, given) < 0 ||
        find_them(IT(served_type), served_slots, SERVED_COUNT, begin->served_at) < 0 ||
        find_them(IT(span_type), span_slots, SPAN_COUNT, begin->span_at) < 0 ||
        find_them(IT(scope_type), scope_slots, SCOPE_COUNT, begin->scope_at) < 0)
        return -1;
    begin->reads_clocks =
        PyCFunction_Check(IT(time_ns)) && PyCFunction_Check(IT(perf_counter));
    return find_them(IT(unrecorded_type), unrecorded_slots, UNRECORDED_COUNT,
                     begin->unrecorded_at);
}

static PyMemberDef begin_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Begin, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot begin_slots[] = {
    {Py_tp_doc, "Begins the requests of one application: returns ServedRequest or None."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, begin_init},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, begin_members},
    {Py_tp_traverse, begin_traverse},
    {Py_tp_clear, begin_clear},
    {Py_tp_dealloc, clear_and_free},
    {0, NULL},
};

static PyType_Spec begin_spec = {
    .name = "otel_aiohttp_logs._speed._c.Begin",
    .basicsize = sizeof(Begin),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = begin_slots,
};

int
is_begin(PyObject *object)
{
    return object != NULL && PyVectorcall_Function(object) == begin_call;
}

int
add_begin(PyObject *module)
{
    return add_type(module, &begin_spec);
}
