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

/* OTLP's flags of a span whose parent is known to be in this process or in another one. */
#define HAS_IS_REMOTE 0x100
#define IS_REMOTE 0x200

#define SLOT(span, index) (*slot(span, state->slots[index]))

static void
keep(PyObject **place, PyObject *thing)
{
    Py_XSETREF(*place, Py_NewRef(thing));
}

/*
 * know_spans(RecordingSpan, its first status, what it has dropped at first, (FlatEvent,
 * FlatLink, Scope), SpanContext, (states that are empty), (SpanKind's members))
 */
PyObject *
know_spans(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    State *state = state_of(module);
    PyTypeObject *event, *link, *scope;
    if (number != 7 || !PyType_Check(args[0]) || !PyTuple_Check(args[3]) ||
        !PyType_Check(args[4]) || !PyTuple_Check(args[5]) || !PyTuple_Check(args[6])) {
        PyErr_SetString(PyExc_TypeError, "know_spans takes a class and 6 more");
        return NULL;
    }
    if (!PyArg_ParseTuple(args[3], "O!O!O!", &PyType_Type, &event, &PyType_Type, &link,
                          &PyType_Type, &scope))
        return NULL;
    for (int i = 0; i < SLOTS; i++) {
        if (find_slot(args[0], slot_names[i], &state->slots[i]) < 0)
            return NULL;
    }
    keep((PyObject **)&state->recording, args[0]);
    keep(&state->unset, args[1]);
    keep(&state->none_dropped, args[2]);
    keep((PyObject **)&state->kinds.event, (PyObject *)event);
    keep((PyObject **)&state->kinds.link, (PyObject *)link);
    keep((PyObject **)&state->kinds.scope, (PyObject *)scope);
    keep((PyObject **)&state->span_context, args[4]);
    keep(&state->empty_states, args[5]);
    keep(&state->span_kinds, args[6]);
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

/* Returns where *thing* stands in *things*, which is -1 for nowhere. */
static Py_ssize_t
place_of(PyObject *things, PyObject *thing)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(things); i++) {
        if (PyTuple_GET_ITEM(things, i) == thing)
            return i;
    }
    return -1;
}

/* Only an empty state is for us. A SpanContext is a tuple: trace and span id, whether it's remote, flags, state. */
static int
find_caller(const State *state, PyObject *span, SpanParts *parts)
{
    PyObject *parent = SLOT(span, PARENT);
    if (place_of(state->empty_states, SLOT(span, STATE)) < 0)
        return -1;
    if (parent == Py_None)
        return 0;
    if (!Py_IS_TYPE(parent, state->span_context) || !PyTuple_Check(parent) ||
        PyTuple_GET_SIZE(parent) < 5)
        return -1;
    parts->parent = PyTuple_GET_ITEM(parent, 1);
    if (PyTuple_GET_ITEM(parent, 2) == Py_True)
        parts->flags |= IS_REMOTE;
    return 0;
}

int
queue_span(State *state, PyObject *span, uint64_t end_time)
{
    if (!is_ours(state, span) || !is_whole(state, span))
        return 0;
    if (SLOT(span, SINK) == Py_None)
        return 1;
    PyObject *waiting = waiting_of_sink(SLOT(span, SINK));
    Py_ssize_t kind = place_of(state->span_kinds, SLOT(span, KIND));
    SpanParts parts = {.kind = (uint64_t)kind, .end = end_time};
    if (waiting == NULL || kind < 0 || as_uint64(SLOT(span, FLAGS), &parts.flags) < 0 ||
        as_uint64(SLOT(span, START), &parts.start) < 0)
        return unless_fatal() < 0 ? -1 : 0;
    parts.flags |= HAS_IS_REMOTE;
    if (find_caller(state, span, &parts) < 0)
        return 0;
    PyObject *dropped = SLOT(span, DROPPED), *status = SLOT(span, STATUS);
    parts.trace = SLOT(span, TRACE);
    parts.span = SLOT(span, SPAN);
    parts.state = THING(state, NO_NAME);
    parts.name = SLOT(span, NAME_OF);
    parts.attributes = SLOT(span, ATTRIBUTES);
    parts.attributes_lost = PyTuple_GET_ITEM(dropped, 0);
    parts.events = SLOT(span, EVENTS);
    parts.events_lost = PyTuple_GET_ITEM(dropped, 1);
    parts.links = SLOT(span, LINKS);
    parts.links_lost = PyTuple_GET_ITEM(dropped, 2);
    parts.status = PyTuple_GET_ITEM(status, 0);
    parts.status_text = PyTuple_GET_ITEM(status, 1);
    parts.scope = SLOT(span, SCOPE);
    return queue_span_parts(state, waiting, &parts);
}

/* queue_span(span, end_time): False where the span has to become a flat one. */
PyObject *
queue_ended(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    uint64_t end_time;
    if (number != 2) {
        PyErr_SetString(PyExc_TypeError, "queue_span takes 2 arguments");
        return NULL;
    }
    int queued = 0;
    if (as_uint64(args[1], &end_time) < 0)
        PyErr_Clear();
    else
        queued = queue_span(state_of(module), args[0], end_time);
    return queued < 0 ? NULL : PyBool_FromLong(queued);
}
