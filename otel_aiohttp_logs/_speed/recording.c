/* A span that records. The twins are those of RecordingSpan in span/span.py. */
#include "speed.h"

/* The first ones in the order of new_span()'s arguments. */
enum {
    NAME_OF, TRACE, SPAN, FLAGS, PARENT, KIND, SCOPE, START, SINK, LENIENT, STATE,
    ATTRIBUTES, END, CONTEXT, STATUS, EVENTS, LINKS, DROPPED, SLOTS
};
static const char *const slot_names[] = {
    "name", "trace_id", "span_id", "flags", "parent", "kind", "scope", "start_time", "_sink",
    "_lenient", "trace_state", "attributes", "end_time", "_context", "_status", "_events",
    "_links", "_dropped",
};

#define SLOT(span, index) (*slot(span, state->slots[index]))

/* know_spans(RecordingSpan, its first status, what it has dropped at first) */
PyObject *
know_spans(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    State *state = state_of(module);
    if (number != 3 || !PyType_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "know_spans takes a class and 2 more");
        return NULL;
    }
    for (int i = 0; i < SLOTS; i++) {
        if (find_slot(args[0], slot_names[i], &state->slots[i]) < 0)
            return NULL;
    }
    Py_XSETREF(state->recording, (PyTypeObject *)Py_NewRef(args[0]));
    Py_XSETREF(state->unset, Py_NewRef(args[1]));
    Py_XSETREF(state->none_dropped, Py_NewRef(args[2]));
    return Py_NewRef(Py_None);
}

static int
is_ours(const State *state, PyObject *span)
{
    return state->recording != NULL && PyObject_TypeCheck(span, state->recording);
}

static PyObject *
hex_of(PyObject *number, int size)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    if (number == NULL || as_bytes(number, bytes, size) < 0)
        return NULL;
    PyObject *text = PyUnicode_New(2 * size, 127);
    if (text == NULL)
        return NULL;
    Py_UCS1 *to = PyUnicode_1BYTE_DATA(text);
    for (int i = 0; i < size; i++) {
        *to++ = (Py_UCS1)digits[bytes[i] >> 4];
        *to++ = (Py_UCS1)digits[bytes[i] & 15];
    }
    return text;
}

int
ids_of_span(State *state, PyObject *span, PyObject *scope, Where *where)
{
    if (!is_ours(state, span))
        return UNUSUAL;
    PyObject *request_id = scope ? *slot(scope, state->request_id_at) : Py_None;
    PyObject *ids = tuple_of(THING(state, IDS), 4);
    if (ids == NULL || request_id == NULL) {
        Py_XDECREF(ids);
        return UNUSUAL;
    }
    PyTuple_SET_ITEM(ids, 0, hex_of(SLOT(span, TRACE), 16));
    PyTuple_SET_ITEM(ids, 1, hex_of(SLOT(span, SPAN), 8));
    PyTuple_SET_ITEM(ids, 2, hex_of(SLOT(span, FLAGS), 1));
    PyTuple_SET_ITEM(ids, 3, Py_NewRef(request_id));
    if (PyTuple_GET_ITEM(ids, 0) && PyTuple_GET_ITEM(ids, 1) && PyTuple_GET_ITEM(ids, 2)) {
        where->ids = ids;
        where->numbers =
            PyTuple_Pack(3, SLOT(span, TRACE), SLOT(span, SPAN), SLOT(span, FLAGS));
        return where->numbers == NULL ? UNUSUAL : 0;
    }
    Py_DECREF(ids);
    PyErr_Clear();
    return UNUSUAL;
}

/* new_span(name, trace_id, ...): a span of RecordingSpan, without attributes yet. */
PyObject *
new_span(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    State *state = state_of(module);
    if (number != ATTRIBUTES || state->recording == NULL) {
        PyErr_SetString(PyExc_TypeError, "new_span takes 11 arguments");
        return NULL;
    }
    PyObject *attributes = PyDict_New(), *nothing = PyTuple_New(0), *span = NULL;
    if (attributes != NULL && nothing != NULL)
        span = state->recording->tp_alloc(state->recording, 0);
    for (int i = NAME_OF; span != NULL && i < ATTRIBUTES; i++)
        SLOT(span, i) = Py_NewRef(args[i]);
    if (span != NULL) {
        SLOT(span, ATTRIBUTES) = Py_NewRef(attributes);
        SLOT(span, END) = Py_NewRef(Py_None);
        SLOT(span, CONTEXT) = Py_NewRef(Py_None);
        SLOT(span, STATUS) = Py_NewRef(state->unset);
        SLOT(span, EVENTS) = Py_NewRef(nothing);
        SLOT(span, LINKS) = Py_NewRef(nothing);
        SLOT(span, DROPPED) = Py_NewRef(state->none_dropped);
    }
    Py_XDECREF(attributes);
    Py_XDECREF(nothing);
    return span;
}

static int
is_whole(const State *state, PyObject *span)
{
    for (int i = 0; i < SLOTS; i++) {
        if (SLOT(span, i) == NULL)
            return 0;
    }
    PyObject *dropped = SLOT(span, DROPPED), *status = SLOT(span, STATUS);
    return PyTuple_CheckExact(dropped) && PyTuple_GET_SIZE(dropped) == 3 &&
           PyTuple_CheckExact(status) && PyTuple_GET_SIZE(status) == 2;
}

/* flat_span(span, end_time, FlatSpan, kind, flags): of one without a parent. */
PyObject *
flat_span(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    State *state = state_of(module);
    if (number != 5 || !is_ours(state, args[0]) || !is_whole(state, args[0]) ||
        !PyType_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "flat_span takes a span and 4 more");
        return NULL;
    }
    PyObject *span = args[0];
    PyObject *dropped = SLOT(span, DROPPED), *status = SLOT(span, STATUS);
    PyObject *fields[] = {
        SLOT(span, TRACE), SLOT(span, SPAN), NULL, args[4], THING(state, NO_NAME),
        SLOT(span, NAME_OF), args[3], SLOT(span, START), args[1],
        SLOT(span, ATTRIBUTES), PyTuple_GET_ITEM(dropped, 0),
        SLOT(span, EVENTS), PyTuple_GET_ITEM(dropped, 1),
        SLOT(span, LINKS), PyTuple_GET_ITEM(dropped, 2),
        PyTuple_GET_ITEM(status, 0), PyTuple_GET_ITEM(status, 1), SLOT(span, SCOPE),
    };
    PyObject *no_parent = PyLong_FromLong(0);
    PyObject *flat = no_parent ? tuple_of(args[2], 18) : NULL;
    fields[2] = no_parent;
    for (int i = 0; flat != NULL && i < 18; i++)
        PyTuple_SET_ITEM(flat, i, Py_NewRef(fields[i]));
    Py_XDECREF(no_parent);
    return flat;
}

/* guid(bits): 128 of them in the text form of RFC 9562, version 4. */
PyObject *
guid(PyObject *Py_UNUSED(module), PyObject *bits)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    if (as_bytes(bits, bytes, 16) < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "guid takes an int");
        return NULL;
    }
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    PyObject *text = PyUnicode_New(36, 127);
    if (text == NULL)
        return NULL;
    Py_UCS1 *to = PyUnicode_1BYTE_DATA(text);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = (Py_UCS1)digits[bytes[i] >> 4];
        *to++ = (Py_UCS1)digits[bytes[i] & 15];
    }
    return text;
}
