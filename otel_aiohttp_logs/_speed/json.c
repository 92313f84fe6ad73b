/*
 * A JSON line. The twin is JSONFormatter._line() of output/json_lines.py.
 */
#include "speed.h"

#define LONGEST_LOGGER 1024
#define LONGEST_LEVEL 128
#define DEEPEST 16

static int put_json(Buffer *line, PyObject *value, int depth);

static inline int
put_string(Buffer *line, const char *text)
{
    return put_bytes(line, text, strlen(text));
}

static int
put_blob(Buffer *line, PyObject *value)
{
    PyObject *text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value),
                                          "backslashreplace");
    int failed = text == NULL || put_quoted(line, text) < 0;
    Py_XDECREF(text);
    return failed ? -1 : 0;
}

static int
put_list(Buffer *line, PyObject *values, int depth)
{
    if (put_byte(line, '[') < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(values); i++) {
        if ((i > 0 && put_byte(line, ',') < 0) ||
            put_json(line, PySequence_Fast_GET_ITEM(values, i), depth) < 0)
            return -1;
    }
    return put_byte(line, ']');
}

static int
put_object(Buffer *line, PyObject *values, int depth)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    unsigned char before = '{';
    if (PyDict_GET_SIZE(values) == 0)
        return put_string(line, "{}");
    while (PyDict_Next(values, &at, &key, &value)) {
        if (put_byte(line, before) < 0 || put_quoted(line, key) < 0 ||
            put_byte(line, ':') < 0 || put_json(line, value, depth) < 0)
            return -1;
        before = ',';
    }
    return put_byte(line, '}');
}

static int
put_json(Buffer *line, PyObject *value, int depth)
{
    PyTypeObject *kind = Py_TYPE(value);
    if (kind == &PyUnicode_Type)
        return put_quoted(line, value);
    if (kind == &PyLong_Type)
        return put_int(line, value);
    if (value == Py_None)
        return put_string(line, "null");
    if (kind == &PyBool_Type)
        return put_string(line, value == Py_True ? "true" : "false");
    if (kind == &PyFloat_Type)
        return put_float(line, value);
    if (kind == &PyBytes_Type)
        return put_blob(line, value);
    if (depth >= DEEPEST)
        return -1;
    if (kind == &PyList_Type)
        return put_list(line, value, depth + 1);
    return kind == &PyDict_Type ? put_object(line, value, depth + 1) : -1;
}

static inline int
put_member(Buffer *line, const char *before, PyObject *text, Py_ssize_t longest)
{
    if (text == NULL || !PyUnicode_CheckExact(text) || !PyUnicode_IS_ASCII(text) ||
        PyUnicode_GET_LENGTH(text) > longest)
        return -1;
    return put_string(line, before) < 0 ? -1 : put_quoted(line, text);
}

/* *ids* are in the order of Ids, and the line has the request's first. */
static int
put_ids(Buffer *line, PyObject *ids)
{
    static const char *const before[] = {",\"trace_id\":", ",\"span_id\":",
                                         ",\"trace_flags\":", ",\"request_id\":"};
    static const int order[] = {3, 0, 1, 2};
    if (!PyTuple_Check(ids) || PyTuple_GET_SIZE(ids) != 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        PyObject *id = PyTuple_GET_ITEM(ids, order[i]);
        if (id == Py_None)
            continue;
        if (put_member(line, before[order[i]], id, 128) < 0 ||
            PyUnicode_GET_LENGTH(id) == 0)
            return -1;
    }
    return 0;
}

static int
put_fields(Buffer *line, PyObject *fields)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (!PyDict_CheckExact(fields))
        return -1;
    while (PyDict_Next(fields, &at, &key, &value)) {
        if (put_byte(line, ',') < 0 || put_quoted(line, key) < 0 ||
            put_byte(line, ':') < 0 || put_json(line, value, 0) < 0)
            return -1;
    }
    return 0;
}

static int
put_raised(Buffer *line, PyObject *raised)
{
    static const char *const before[] = {",\"exception\":{\"type\":", ",\"message\":",
                                         ",\"stack\":"};
    for (int i = 0; i < 3; i++) {
        if (put_string(line, before[i]) < 0 ||
            put_quoted(line, PyTuple_GET_ITEM(raised, i)) < 0)
            return -1;
    }
    return put_byte(line, '}');
}

static int
put_head(State *state, Buffer *line, const Line *of)
{
    if (put_moment(&state->moment, line, of->created) < 0 ||
        put_member(line, ",\"level\":", of->level, LONGEST_LEVEL) < 0 ||
        put_member(line, ",\"logger\":", of->logger, LONGEST_LOGGER) < 0 ||
        put_string(line, ",\"message\":") < 0 || put_quoted(line, of->message) < 0 ||
        put_ids(line, of->ids) < 0)
        return -1;
    if (!of->is_event)
        return 0;
    return put_member(line, ",\"event_name\":", THING(state, EVENT_NAME), 128);
}

/* Writes a line, without its end. */
int
put_parts_of_line(State *state, Buffer *line, const Line *of)
{
    if (put_head(state, line, of) < 0 || put_fields(line, of->fields) < 0 ||
        (of->raised != NULL && put_raised(line, of->raised) < 0))
        return -1;
    return put_byte(line, '}');
}

/* Writes the line of a record that says *words*. */
int
put_line(State *state, Buffer *line, PyObject *record, PyObject *words, PyObject *ids)
{
    if (!Py_IS_TYPE(words, (PyTypeObject *)THING(state, SAID)))
        return -1;
    PyObject *values = PyObject_GenericGetDict(record, NULL);
    if (values == NULL)
        return -1;
    PyObject *raised;
    int failed = raised_of(state, record, values, &raised);
    PyObject *created = PyDict_GetItemWithError(values, NAME(state, created));
    if (failed == 0 && created != NULL && PyFloat_CheckExact(created)) {
        Line of = {
            .created = PyFloat_AS_DOUBLE(created),
            .level = PyDict_GetItemWithError(values, NAME(state, levelname)),
            .logger = PyDict_GetItemWithError(values, NAME(state, name)),
            .message = PyTuple_GET_ITEM(words, 0),
            .fields = PyTuple_GET_ITEM(words, 1),
            .ids = ids,
            .is_event = Py_IS_TYPE(record, (PyTypeObject *)THING(state, EVENT)),
            .raised = raised,
        };
        failed = put_parts_of_line(state, line, &of);
    } else {
        failed = -1;
    }
    Py_XDECREF(raised);
    Py_DECREF(values);
    return failed;
}
