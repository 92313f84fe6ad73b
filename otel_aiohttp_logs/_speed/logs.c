/* The twin is _log() of export/messages.py: each field has its place and its number there. */
#include "speed.h"

enum { TIME, NUMBER, SEVERITY, LOGGER, BODY, ATTRIBUTES, TRACE, SPAN, FLAGS, EVENT, FIELDS };

static int
put_times(Buffer *buffer, uint64_t time)
{
    if (put_byte(buffer, 0x09) < 0 ||
        put_fixed(buffer, time, 8) < 0 || put_byte(buffer, 0x59) < 0)
        return -1;
    return put_fixed(buffer, time, 8);
}

static int
put_body(Buffer *buffer, PyObject *text)
{
    size_t body;
    if (open_field(buffer, 0x2a, &body) < 0 || put_text(buffer, 0x0a, text) < 0)
        return -1;
    return close_field(buffer, body);
}

static int
put_flags(Buffer *buffer, PyObject *number)
{
    uint64_t flags;
    if (as_uint64(number, &flags) < 0 || flags > UINT32_MAX)
        return -1;
    if (flags == 0)
        return 0;
    return put_byte(buffer, 0x45) < 0 ? -1 : put_fixed(buffer, flags, 4);
}

static int
put_context_id(Buffer *buffer, unsigned char tag, PyObject *number, int size)
{
    size_t before = buffer->size;
    if (put_byte(buffer, tag) < 0 || put_byte(buffer, (unsigned char)size) < 0 ||
        put_id(buffer, number, size) < 0)
        return -1;
    static const unsigned char none[16];
    if (memcmp(buffer->data + before + 2, none, (size_t)size) == 0)
        buffer->size = before;
    return 0;
}

static int
put_severity(Buffer *buffer, uint64_t number, PyObject *text)
{
    if (put_byte(buffer, 0x10) < 0 || put_varint(buffer, number) < 0)
        return -1;
    return put_text(buffer, 0x1a, text);
}

/* One of the attributes may have that name, too. */
static int
put_request_id(Buffer *buffer, const LogParts *of)
{
    if (of->request_id == NULL)
        return 0;
    if (PyDict_Contains(of->attributes, of->request_id_name) != 0)
        return -1;
    return put_attribute(buffer, 0x32, of->request_id_name, of->request_id);
}

int
put_log_parts(Buffer *buffer, const LogParts *of)
{
    if (put_times(buffer, of->time) < 0 ||
        put_severity(buffer, of->number, of->severity) < 0 ||
        put_body(buffer, of->body) < 0 || put_flags(buffer, of->flags) < 0 ||
        put_context_id(buffer, 0x4a, of->trace, 16) < 0 ||
        put_context_id(buffer, 0x52, of->span, 8) < 0 ||
        put_attributes(buffer, 0x32, of->attributes) < 0 || put_request_id(buffer, of) < 0 ||
        !PyUnicode_CheckExact(of->event))
        return -1;
    return PyUnicode_GET_LENGTH(of->event) ? put_text(buffer, 0x62, of->event) : 0;
}

static int
put_log(Buffer *buffer, PyObject *log, void *Py_UNUSED(kinds))
{
    PyObject *const *of = PySequence_Fast_ITEMS(log);
    if (PyTuple_GET_SIZE(log) != FIELDS || !PyUnicode_CheckExact(of[LOGGER]))
        return -1;
    LogParts parts = {
        .severity = of[SEVERITY], .logger = of[LOGGER], .body = of[BODY],
        .attributes = of[ATTRIBUTES], .trace = of[TRACE], .span = of[SPAN],
        .flags = of[FLAGS], .event = of[EVENT],
    };
    if (as_uint64(of[TIME], &parts.time) < 0 || as_uint64(of[NUMBER], &parts.number) < 0)
        return -1;
    return put_log_parts(buffer, &parts);
}

/* group_logs(FlatLog, new_group, twin, logs, groups) */
PyObject *
group_logs(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    if (number != 5 || !PyType_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "group_logs takes 5 arguments");
        return NULL;
    }
    RecordKind kind = {put_log, (PyTypeObject *)args[0], LOGGER, NULL};
    return group_records(module, &kind, args + 1);
}
