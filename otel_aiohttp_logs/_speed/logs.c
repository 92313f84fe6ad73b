/* The twin is _log() of export/encoder.py: each field has its place and its number there. */
#include "speed.h"

enum { TIME, NUMBER, SEVERITY, LOGGER, BODY, ATTRIBUTES, TRACE, SPAN, FLAGS, EVENT, FIELDS };

static int
put_times(Buffer *buffer, PyObject *number)
{
    uint64_t time;
    if (as_uint64(number, &time) < 0 || put_byte(buffer, 0x09) < 0 ||
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
put_log(Buffer *buffer, PyObject *log, void *Py_UNUSED(kinds))
{
    PyObject *const *of = PySequence_Fast_ITEMS(log);
    if (PyTuple_GET_SIZE(log) != FIELDS || !PyUnicode_CheckExact(of[LOGGER]) ||
        put_times(buffer, of[TIME]) < 0 || put_number(buffer, 0x10, of[NUMBER]) < 0 ||
        put_text(buffer, 0x1a, of[SEVERITY]) < 0 || put_body(buffer, of[BODY]) < 0 ||
        put_flags(buffer, of[FLAGS]) < 0 ||
        put_context_id(buffer, 0x4a, of[TRACE], 16) < 0 ||
        put_context_id(buffer, 0x52, of[SPAN], 8) < 0 ||
        put_attributes(buffer, 0x32, of[ATTRIBUTES]) < 0 ||
        !PyUnicode_CheckExact(of[EVENT]))
        return -1;
    return PyUnicode_GET_LENGTH(of[EVENT]) ? put_text(buffer, 0x62, of[EVENT]) : 0;
}

/* group_logs(FlatLog, new_group, twin, logs, groups) */
PyObject *
group_logs(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t number)
{
    if (number != 5 || !PyType_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "group_logs takes 5 arguments");
        return NULL;
    }
    RecordKind kind = {put_log, (PyTypeObject *)args[0], LOGGER, NULL};
    return group_records(&kind, args + 1);
}
