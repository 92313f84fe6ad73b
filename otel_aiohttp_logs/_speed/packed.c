/*
 * A record that was encoded where it was made. It waits as bytes: one piece of memory, which
 * holds on to nothing but the key of its group, and the collector of cycles doesn't see it.
 */
#include "speed.h"

#define KEPT ((size_t)64 << 10)

static void
packed_dealloc(Packed *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(self->key);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* Takes the buffer that each record is written into first; NULL data if it is in use. */
static Buffer
borrow(State *state)
{
    /* An error makes an exception, so a destructor may run in here, and log something. */
    Buffer buffer = state->packing;
    state->packing = (Buffer){0};
    buffer.size = 0;
    return buffer;
}

static void
give_back(State *state, Buffer *buffer)
{
    if (state->packing.data == NULL && buffer->room <= KEPT)
        state->packing = *buffer;
    else
        buffer_free(buffer);
}

static Packed *
packed_of(State *state, const Buffer *buffer, PyObject *key)
{
    Packed *packed = PyObject_NewVar(Packed, state->packed, (Py_ssize_t)buffer->size);
    if (packed != NULL) {
        packed->key = Py_NewRef(key);
        memcpy(packed->bytes, buffer->data, buffer->size);
    }
    return packed;
}

/* Queues what *buffer* has if *whole*; the exception of what isn't says nothing. */
static int
queue(State *state, PyObject *waiting, Buffer *buffer, PyObject *key, int whole)
{
    Packed *packed = whole ? packed_of(state, buffer, key) : NULL;
    give_back(state, buffer);
    if (packed == NULL) {
        PyErr_Clear();
        return 0;
    }
    Py_ssize_t weight = (Py_ssize_t)sizeof *packed + Py_SIZE(packed);
    int failed = waiting_append(waiting, (PyObject *)packed, weight);
    Py_DECREF(packed);
    return failed < 0 ? -1 : 1;
}

int
queue_log(State *state, PyObject *waiting, const LogParts *of)
{
    if (!waiting_has_room(waiting))
        return waiting_refuse(waiting) < 0 ? -1 : 1;
    Buffer buffer = borrow(state);
    size_t start;
    int whole = PyUnicode_CheckExact(of->logger) &&
                open_field(&buffer, 0x12, &start) == 0 &&
                put_log_parts(&buffer, of) == 0 && close_field(&buffer, start) == 0;
    return queue(state, waiting, &buffer, of->logger, whole);
}

/* A key that cannot be hashed would be found out too late. */
static int
is_of_texts(PyObject *scope)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(scope); i++) {
        if (!PyUnicode_CheckExact(PyTuple_GET_ITEM(scope, i)))
            return 0;
    }
    return PyTuple_GET_SIZE(scope) == 3;
}

int
queue_span_parts(State *state, PyObject *waiting, const SpanParts *of)
{
    if (!waiting_has_room(waiting))
        return waiting_refuse(waiting) < 0 ? -1 : 1;
    Buffer buffer = borrow(state);
    size_t start;
    int whole = open_field(&buffer, 0x12, &start) == 0 &&
                put_span_parts(&buffer, of, &state->kinds) == 0 &&
                close_field(&buffer, start) == 0 && is_of_texts(of->scope);
    return queue(state, waiting, &buffer, of->scope, whole);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, packed_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "otel_aiohttp_logs._speed._c.Packed",
    .basicsize = offsetof(Packed, bytes),
    .itemsize = 1,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int
add_packed(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    state_of(module)->packed = (PyTypeObject *)type;
    return type == NULL ? -1 : 0;
}
