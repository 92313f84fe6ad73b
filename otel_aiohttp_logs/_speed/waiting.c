/*
 * The records of one signal that wait, with their weights. The twin is Waiting of
 * export/waiting.py; put() is called by any thread, and by whatever may run in another put().
 */
#include "speed.h"

#define MAX_WEIGHT ((Py_ssize_t)64 << 20)
#define UNKNOWN_WEIGHT 700
#define NUMBER_WEIGHT 60

typedef struct {
    PyObject *record;
    Py_ssize_t weight;
} Item;

typedef struct {
    PyObject_HEAD
    PyObject *wake, *refuse, *weigh;
    PyTypeObject *kind;
    Py_ssize_t room, wake_at;
    /* How a record of *kind* is weighed: where its parts are, -1 for one that it lacks. */
    Py_ssize_t base, text_at, attributes_at, empty_at, empty_at_too, least;
    /* A ring. */
    Item *items;
    Py_ssize_t size, first, number, weight;
} Waiting;

static int
waiting_init(Waiting *self, PyObject *args, PyObject *given)
{
    static char *names[] = {"wake", "refuse", "weigh", "kind", "base", "text_at",
                            "attributes_at", "empty_at", NULL};
    PyObject *wake, *refuse, *weigh, *kind;
    Py_ssize_t base, text_at, attributes_at, empty_at, empty_at_too;
    if (!PyArg_ParseTupleAndKeywords(args, given, "OOOO!nnn(nn)", names, &wake, &refuse,
                                     &weigh, &PyType_Type, &kind, &base, &text_at,
                                     &attributes_at, &empty_at, &empty_at_too))
        return -1;
    Py_XSETREF(self->wake, Py_NewRef(wake));
    Py_XSETREF(self->refuse, Py_NewRef(refuse));
    Py_XSETREF(self->weigh, Py_NewRef(weigh));
    Py_XSETREF(self->kind, (PyTypeObject *)Py_NewRef(kind));
    self->base = base;
    self->text_at = text_at;
    self->attributes_at = attributes_at;
    self->empty_at = empty_at;
    self->empty_at_too = empty_at_too;
    self->wake_at = PY_SSIZE_T_MAX;
    self->least = 1 + Py_MAX(Py_MAX(text_at, attributes_at), Py_MAX(empty_at, empty_at_too));
    return 0;
}

static PyObject *
clear(Waiting *self, PyObject *Py_UNUSED(ignored))
{
    Item *items = self->items;
    Py_ssize_t size = self->size, first = self->first, number = self->number;
    self->items = NULL;
    self->size = self->first = self->number = self->weight = 0;
    for (Py_ssize_t i = 0; i < number; i++)
        Py_DECREF(items[(first + i) & (size - 1)].record);
    PyMem_Free(items);
    return Py_NewRef(Py_None);
}

static int
waiting_traverse(Waiting *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->wake);
    Py_VISIT(self->refuse);
    Py_VISIT(self->weigh);
    Py_VISIT(self->kind);
    for (Py_ssize_t i = 0; i < self->number; i++)
        Py_VISIT(self->items[(self->first + i) & (self->size - 1)].record);
    return 0;
}

static int
waiting_clear(Waiting *self)
{
    Py_CLEAR(self->wake);
    Py_CLEAR(self->refuse);
    Py_CLEAR(self->weigh);
    Py_CLEAR(self->kind);
    Py_DECREF(clear(self, NULL));
    return 0;
}

static void
waiting_dealloc(Waiting *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    waiting_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static Py_ssize_t
waiting_length(Waiting *self)
{
    return self->number;
}

static int
is_empty(PyObject *part)
{
    return (PyTuple_CheckExact(part) && PyTuple_GET_SIZE(part) == 0) ||
           (PyList_CheckExact(part) && PyList_GET_SIZE(part) == 0);
}

/* Returns what a value weighs, -1 for one that the twin has to look into. */
static Py_ssize_t
value_weight(PyObject *value)
{
    if (PyUnicode_CheckExact(value))
        return PyUnicode_GET_LENGTH(value);
    if (PyBytes_CheckExact(value))
        return NUMBER_WEIGHT + PyBytes_GET_SIZE(value);
    int plain = PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
                PyBool_Check(value) || value == Py_None;
    return plain ? NUMBER_WEIGHT : -1;
}

static Py_ssize_t
ordinary_weight(Waiting *self, PyObject *record)
{
    if (Py_TYPE(record) != self->kind || !PyTuple_Check(record) ||
        PyTuple_GET_SIZE(record) < self->least)
        return -1;
    PyObject *const *parts = PySequence_Fast_ITEMS(record);
    Py_ssize_t weight = self->base, at = 0;
    if ((self->empty_at >= 0 && !is_empty(parts[self->empty_at])) ||
        (self->empty_at_too >= 0 && !is_empty(parts[self->empty_at_too])))
        return -1;
    if (self->text_at >= 0) {
        if (!PyUnicode_CheckExact(parts[self->text_at]))
            return -1;
        weight += PyUnicode_GET_LENGTH(parts[self->text_at]);
    }
    PyObject *attributes = parts[self->attributes_at], *key, *value;
    if (!PyDict_CheckExact(attributes))
        return -1;
    while (PyDict_Next(attributes, &at, &key, &value)) {
        Py_ssize_t more = value_weight(value);
        if (more < 0)
            return -1;
        weight += more;
    }
    return weight;
}

static int
weight_of(Waiting *self, PyObject *record, Py_ssize_t *weight)
{
    *weight = ordinary_weight(self, record);
    if (*weight >= 0)
        return 0;
    PyObject *answer = PyObject_CallOneArg(self->weigh, record);
    if (answer != NULL) {
        *weight = PyLong_AsSsize_t(answer);
        Py_DECREF(answer);
    }
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_Exception))
            return -1;
        PyErr_Clear();
        *weight = UNKNOWN_WEIGHT;
    }
    return 0;
}

static int
make_room(Waiting *self)
{
    if (self->number < self->size)
        return 0;
    Py_ssize_t size = self->size ? 2 * self->size : 64;
    Item *items = PyMem_New(Item, (size_t)size);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->number; i++)
        items[i] = self->items[(self->first + i) & (self->size - 1)];
    PyMem_Free(self->items);
    self->items = items;
    self->size = size;
    self->first = 0;
    return 0;
}

static PyObject *
put(Waiting *self, PyObject *record)
{
    if (self->number >= self->room || self->weight >= MAX_WEIGHT)
        return PyObject_CallNoArgs(self->refuse);
    Py_ssize_t weight;
    if (weight_of(self, record, &weight) < 0 || make_room(self) < 0)
        return NULL;
    Item *item = &self->items[(self->first + self->number) & (self->size - 1)];
    item->record = Py_NewRef(record);
    item->weight = weight;
    self->number++;
    self->weight += weight;
    if (self->number < self->wake_at)
        return Py_NewRef(Py_None);
    self->wake_at = PY_SSIZE_T_MAX;
    return PyObject_CallNoArgs(self->wake);
}

/* put_log(record, log): as an outlet is called. */
static PyObject *
put_log(Waiting *self, PyObject *const *args, Py_ssize_t number)
{
    if (number != 2) {
        PyErr_SetString(PyExc_TypeError, "put_log takes 2 arguments");
        return NULL;
    }
    return put(self, args[1]);
}

/* Whether an outlet is put_log(), which doesn't look at the record. */
int
is_put_log(PyObject *outlet)
{
    return PyCFunction_CheckExact(outlet) &&
           PyCFunction_GET_FUNCTION(outlet) == (PyCFunction)(void (*)(void))put_log;
}

/* take(most, most_weight): the oldest records, as many as fit. */
static PyObject *
take(Waiting *self, PyObject *const *args, Py_ssize_t number)
{
    Py_ssize_t most = number == 2 ? PyLong_AsSsize_t(args[0]) : -1;
    Py_ssize_t most_weight = number == 2 ? PyLong_AsSsize_t(args[1]) : -1;
    if (most < 0 || most_weight < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "take takes 2 numbers");
        return NULL;
    }
    Py_ssize_t count = 0, weight = 0;
    while (count < most && count < self->number && weight < most_weight)
        weight += self->items[(self->first + count++) & (self->size - 1)].weight;
    PyObject *batch = PyList_New(count);
    if (batch == NULL)
        return NULL;
    /* Whatever ran while the list was made may have taken some. */
    if (count > self->number) {
        Py_DECREF(batch);
        return PyList_New(0);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Item *item = &self->items[self->first];
        PyList_SET_ITEM(batch, i, item->record);
        self->weight -= item->weight;
        self->first = (self->first + 1) & (self->size - 1);
        self->number--;
    }
    return batch;
}

static PyMemberDef members[] = {
    {"wake", T_OBJECT, offsetof(Waiting, wake), 0, NULL},
    {"room", T_PYSSIZET, offsetof(Waiting, room), 0, NULL},
    {"wake_at", T_PYSSIZET, offsetof(Waiting, wake_at), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"clear", METHOD(clear), METH_NOARGS, NULL},
    {"put", METHOD(put), METH_O, NULL},
    {"put_log", METHOD(put_log), METH_FASTCALL, NULL},
    {"take", METHOD(take), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_init, waiting_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, waiting_dealloc},
    {Py_tp_traverse, waiting_traverse},
    {Py_tp_clear, waiting_clear},
    {Py_sq_length, waiting_length},
    {Py_tp_members, members},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "otel_aiohttp_logs._speed._c.Waiting",
    .basicsize = sizeof(Waiting),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int
add_waiting(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL)
        return -1;
    int failed = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return failed;
}
