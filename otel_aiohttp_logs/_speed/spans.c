/* The twin is _span() of export/messages.py: each field has its place and its number there. */
#include "speed.h"

enum {
    TRACE, SPAN, PARENT, FLAGS, STATE, NAME, KIND, START, END, ATTRIBUTES, ATTRIBUTES_LOST,
    EVENTS, EVENTS_LOST, LINKS, LINKS_LOST, STATUS, STATUS_TEXT, SCOPE, FIELDS
};
enum { EVENT_TIME, EVENT_NAME, EVENT_ATTRIBUTES, EVENT_LOST, EVENT_FIELDS };
enum {
    LINK_TRACE, LINK_SPAN, LINK_FLAGS, LINK_STATE, LINK_ATTRIBUTES, LINK_LOST, LINK_FIELDS
};

typedef int (*PutPart)(Buffer *buffer, PyObject *part);

static int
put_time(Buffer *buffer, unsigned char tag, uint64_t time)
{
    return put_byte(buffer, tag) < 0 ? -1 : put_fixed(buffer, time, 8);
}

static int
put_whole_id(Buffer *buffer, unsigned char tag, PyObject *number, int size)
{
    if (put_byte(buffer, tag) < 0 || put_byte(buffer, (unsigned char)size) < 0)
        return -1;
    return put_id(buffer, number, size);
}

static int
put_kind(Buffer *buffer, uint64_t kind)
{
    if (kind > 127 || put_byte(buffer, 0x30) < 0)
        return -1;
    return put_varint(buffer, kind + 1);
}

static int
put_flags(Buffer *buffer, const char *tag, uint64_t flags)
{
    if (flags > UINT32_MAX)
        return -1;
    if (flags == 0)
        return 0;
    if (put_bytes(buffer, tag, strlen(tag)) < 0)
        return -1;
    return put_fixed(buffer, flags, 4);
}

static int
put_text_if_any(Buffer *buffer, unsigned char tag, PyObject *text)
{
    if (!PyUnicode_CheckExact(text))
        return -1;
    return PyUnicode_GET_LENGTH(text) ? put_text(buffer, tag, text) : 0;
}

static int
put_number_if_any(Buffer *buffer, unsigned char tag, PyObject *number)
{
    uint64_t value;
    if (as_uint64(number, &value) < 0)
        return -1;
    return value ? put_number(buffer, tag, number) : 0;
}

static int
put_parent(Buffer *buffer, PyObject *number)
{
    uint64_t parent;
    if (number == NULL)
        return 0;
    if (as_uint64(number, &parent) < 0)
        return -1;
    return parent ? put_whole_id(buffer, 0x22, number, 8) : 0;
}

static int
put_event(Buffer *buffer, PyObject *event)
{
    PyObject *const *of = PySequence_Fast_ITEMS(event);
    uint64_t time;
    if (PyTuple_GET_SIZE(event) != EVENT_FIELDS || as_uint64(of[EVENT_TIME], &time) < 0 ||
        put_time(buffer, 0x09, time) < 0 ||
        put_text(buffer, 0x12, of[EVENT_NAME]) < 0 ||
        put_attributes(buffer, 0x1a, of[EVENT_ATTRIBUTES]) < 0)
        return -1;
    return put_number_if_any(buffer, 0x20, of[EVENT_LOST]);
}

static int
put_link(Buffer *buffer, PyObject *link)
{
    PyObject *const *of = PySequence_Fast_ITEMS(link);
    uint64_t flags;
    if (PyTuple_GET_SIZE(link) != LINK_FIELDS || as_uint64(of[LINK_FLAGS], &flags) < 0 ||
        put_whole_id(buffer, 0x0a, of[LINK_TRACE], 16) < 0 ||
        put_whole_id(buffer, 0x12, of[LINK_SPAN], 8) < 0 ||
        put_flags(buffer, "\x35", flags) < 0 ||
        put_text_if_any(buffer, 0x1a, of[LINK_STATE]) < 0 ||
        put_attributes(buffer, 0x22, of[LINK_ATTRIBUTES]) < 0)
        return -1;
    return put_number_if_any(buffer, 0x28, of[LINK_LOST]);
}

static int
put_parts(Buffer *buffer, unsigned char tag, PyObject *parts, PyTypeObject *kind, PutPart put)
{
    if (!PyList_CheckExact(parts) && !PyTuple_CheckExact(parts))
        return -1;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(parts); i++) {
        PyObject *part = PySequence_Fast_GET_ITEM(parts, i);
        size_t start;
        if (Py_TYPE(part) != kind || open_field(buffer, tag, &start) < 0 ||
            put(buffer, part) < 0 || close_field(buffer, start) < 0)
            return -1;
    }
    return 0;
}

static int
put_status(Buffer *buffer, PyObject *code, PyObject *text)
{
    uint64_t number;
    size_t status;
    if (as_uint64(code, &number) < 0 || !PyUnicode_CheckExact(text))
        return -1;
    if (number == 0 && PyUnicode_GET_LENGTH(text) == 0)
        return 0;
    if (open_field(buffer, 0x7a, &status) < 0 || put_text(buffer, 0x12, text) < 0 ||
        put_number(buffer, 0x18, code) < 0)
        return -1;
    return close_field(buffer, status);
}

int
put_span_parts(Buffer *buffer, const SpanParts *of, const Kinds *kinds)
{
    if (Py_TYPE(of->scope) != kinds->scope ||
        put_whole_id(buffer, 0x0a, of->trace, 16) < 0 ||
        put_whole_id(buffer, 0x12, of->span, 8) < 0 ||
        put_text(buffer, 0x2a, of->name) < 0 || put_kind(buffer, of->kind) < 0 ||
        put_time(buffer, 0x39, of->start) < 0 || put_time(buffer, 0x41, of->end) < 0 ||
        put_flags(buffer, "\x85\x01", of->flags) < 0 ||
        put_parent(buffer, of->parent) < 0 ||
        put_text_if_any(buffer, 0x1a, of->state) < 0 ||
        put_attributes(buffer, 0x4a, of->attributes) < 0 ||
        put_number_if_any(buffer, 0x50, of->attributes_lost) < 0 ||
        put_parts(buffer, 0x5a, of->events, kinds->event, put_event) < 0 ||
        put_number_if_any(buffer, 0x60, of->events_lost) < 0 ||
        put_parts(buffer, 0x6a, of->links, kinds->link, put_link) < 0 ||
        put_number_if_any(buffer, 0x70, of->links_lost) < 0)
        return -1;
    return put_status(buffer, of->status, of->status_text);
}

static int
put_span(Buffer *buffer, PyObject *span, void *kinds)
{
    PyObject *const *of = PySequence_Fast_ITEMS(span);
    if (PyTuple_GET_SIZE(span) != FIELDS)
        return -1;
    SpanParts parts = {
        .trace = of[TRACE], .span = of[SPAN], .parent = of[PARENT], .state = of[STATE],
        .name = of[NAME], .attributes = of[ATTRIBUTES], .events = of[EVENTS],
        .links = of[LINKS], .scope = of[SCOPE], .attributes_lost = of[ATTRIBUTES_LOST],
        .events_lost = of[EVENTS_LOST], .links_lost = of[LINKS_LOST],
        .status = of[STATUS], .status_text = of[STATUS_TEXT],
    };
    if (as_uint64(of[FLAGS], &parts.flags) < 0 || as_uint64(of[KIND], &parts.kind) < 0 ||
        as_uint64(of[START], &parts.start) < 0 || as_uint64(of[END], &parts.end) < 0)
        return -1;
    return put_span_parts(buffer, &parts, kinds);
}

/* group_spans((FlatSpan, FlatEvent, FlatLink, Scope), new_group, twin, spans, groups) */
PyObject *
group_spans(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    PyTypeObject *span;
    Kinds kinds;
    if (number != 5 || !PyTuple_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "group_spans takes 5 arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args[0], "O!O!O!O!", &PyType_Type, &span, &PyType_Type,
                          &kinds.event, &PyType_Type, &kinds.link, &PyType_Type,
                          &kinds.scope))
        return NULL;
    RecordKind kind = {put_span, span, SCOPE, &kinds};
    return group_records(module, &kind, args + 1);
}
