/*
 * The records of one signal that wait, encoded or flat, with their weights. The twin is
 * Waiting of export/waiting.py; any thread puts, and whatever may run in another put().
 */
#include "waiting.h"

#define UNKNOWN_WEIGHT 700

static int
waiting_init(Waiting *self, PyObject *args, PyObject *given)
{
    static char *names[] = {"wake", "refuse", "weigh", NULL};
    PyObject *wake, *refuse, *weigh;
    if (!PyArg_ParseTupleAndKeywords(args, given, "OOO", names, &wake, &refuse, &weigh))
        return -1;
    Py_XSETREF(self->wake, Py_NewRef(wake));
    Py_XSETREF(self->refuse, Py_NewRef(refuse));
    Py_XSETREF(self->weigh, Py_NewRef(weigh));
    self->wake_at = PY_SSIZE_T_MAX;
    return 0;
}

static int
waiting_traverse(Waiting *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->wake);
    Py_VISIT(self->refuse);
    Py_VISIT(self->weigh);
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
    waiting_empty(self);
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
weight_of(Waiting *self, PyObject *record, Py_ssize_t *weight)
{
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

static PyObject *
clear(Waiting *self, PyObject *Py_UNUSED(ignored))
{
    waiting_empty(self);
    return Py_NewRef(Py_None);
}

/* put(record): a flat one. Encoded ones come by packed.c. */
static PyObject *
put(Waiting *self, PyObject *record)
{
    PyObject *waiting = (PyObject *)self;
    Py_ssize_t weight = 0;
    if (self->weigh == NULL || !waiting_has_room(waiting))
        return waiting_refuse(waiting) < 0 ? NULL : Py_NewRef(Py_None);
    if (weight_of(self, record, &weight) < 0 || waiting_append(waiting, record, weight) < 0)
        return NULL;
    return Py_NewRef(Py_None);
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

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyObject *
waiting_of(PyObject *bound, PyCFunction method)
{
    if (!PyCFunction_CheckExact(bound) || PyCFunction_GET_FUNCTION(bound) != method)
        return NULL;
    return PyCFunction_GET_SELF(bound);
}

/* put_log() doesn't look at the log record, so there need be none. */
PyObject *
waiting_of_outlet(PyObject *outlet)
{
    return waiting_of(outlet, METHOD(put_log));
}

PyObject *
waiting_of_sink(PyObject *sink)
{
    return waiting_of(sink, METHOD(put));
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
