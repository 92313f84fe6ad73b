/*
 * The event of a request, where only our own two handlers hear it: then nobody needs a log
 * record, and it becomes a flat one and a line at once. The twin is the way with a record.
 */
#include "speed.h"

/* Only what was given by us stands in it. */
static int
is_plain_dict(PyObject *fields)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (!PyDict_CheckExact(fields))
        return 0;
    while (PyDict_Next(fields, &at, &key, &value)) {
        if (!PyUnicode_CheckExact(key) || !is_plain_value(value))
            return 0;
    }
    return 1;
}

/* How many of *handlers* are *ours*, -1 if there are others. */
static int
count_ours(PyObject *handlers, PyObject *passing_on, PyObject *stdout_handler, int *lines)
{
    int outlets = 0;
    *lines = 0;
    if (!PyList_CheckExact(handlers))
        return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(handlers); i++) {
        PyObject *handler = PyList_GET_ITEM(handlers, i);
        if (handler == passing_on)
            outlets++;
        else if (handler == stdout_handler)
            ++*lines;
        else
            return -1;
    }
    return outlets;
}

static PyObject *
flat_event(State *state, const Where *where, const Line *of, long level)
{
    PyObject *log = tuple_of(THING(state, FLAT_LOG), 10);
    PyObject *attributes = PyDict_Copy(of->fields);
    PyObject *request_id = PyTuple_GET_ITEM(where->ids, 3);
    if (log == NULL || attributes == NULL ||
        (request_id != Py_None &&
         PyDict_SetItem(attributes, NAME(state, request_id), request_id) < 0)) {
        Py_XDECREF(log);
        Py_XDECREF(attributes);
        return NULL;
    }
    PyTuple_SET_ITEM(log, 0, PyLong_FromDouble(of->created * 1e9));
    PyTuple_SET_ITEM(log, 1, PyLong_FromLong(severity(level)));
    PyTuple_SET_ITEM(log, 2, Py_NewRef(of->level));
    PyTuple_SET_ITEM(log, 3, Py_NewRef(of->logger));
    PyTuple_SET_ITEM(log, 4, Py_NewRef(of->message));
    PyTuple_SET_ITEM(log, 5, attributes);
    for (int i = 0; i < 3; i++)
        PyTuple_SET_ITEM(log, 6 + i, Py_NewRef(PyTuple_GET_ITEM(where->numbers, i)));
    PyTuple_SET_ITEM(log, 9, Py_NewRef(THING(state, EVENT_NAME)));
    if (PyTuple_GET_ITEM(log, 0) == NULL || PyTuple_GET_ITEM(log, 1) == NULL)
        Py_CLEAR(log);
    return log;
}

static PyObject *
text_of(State *state, const Line *of)
{
    Buffer line = {0};
    PyObject *text = NULL;
    if (put_parts_of_line(state, &line, of) == 0 && put_byte(&line, '\n') == 0)
        text = PyUnicode_DecodeUTF8((char *)line.data, (Py_ssize_t)line.size, NULL);
    buffer_free(&line);
    return text;
}

/* Returns the line, or an empty one, when the flat event has been put; else NULL. */
static PyObject *
write_both(State *state, const Where *where, Line *of, long level, PyObject *outlet, int lines)
{
    of->ids = where->ids;
    PyObject *text = lines ? text_of(state, of) : PyUnicode_New(0, 0);
    PyObject *log = text ? flat_event(state, where, of, level) : NULL;
    PyObject *both[] = {Py_None, log};
    PyObject *done = log ? PyObject_Vectorcall(outlet, both, 2, NULL) : NULL;
    Py_XDECREF(log);
    if (done == NULL)
        Py_CLEAR(text);
    Py_XDECREF(done);
    return text;
}

static int
is_written_here(State *state, PyObject *const *args, int *lines)
{
    PyObject *passing_on = args[0], *stdout_handler = args[1], *formatter = args[3];
    if (count_ours(args[2], passing_on, stdout_handler, lines) != 1 || *lines > 1 ||
        !has_no_filters(state, passing_on))
        return 0;
    return *lines == 0 || (has_no_filters(state, stdout_handler) &&
                           writes_json_alone(state, stdout_handler, args[4], formatter));
}

/*
 * write_event(passing_on, stdout, handlers, JSONFormatter, logger, text, level, created,
 * fields, context): the line, which is empty where none is wanted; None for the twin.
 */
PyObject *
write_event(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    State *state = state_of(module);
    int lines = 0;
    if (number != 10 || !PyUnicode_CheckExact(args[4]) || !PyUnicode_CheckExact(args[5]) ||
        !is_tidy(args[5], 8192) || !PyLong_CheckExact(args[6]) ||
        !PyFloat_CheckExact(args[7]) || !is_plain_dict(args[8]) ||
        !is_written_here(state, args, &lines))
        return unless_fatal() < 0 ? NULL : Py_NewRef(Py_None);
    PyObject *name = PyDict_GetItemWithError(THING(state, LEVEL_NAMES), args[6]);
    PyObject *outlet = only_outlet(state, args[0]);
    PyObject *ids = Py_NewRef(Py_None), *text = NULL;
    Where where = {0};
    if (name != NULL && PyUnicode_CheckExact(name) && outlet != NULL &&
        is_put_log(outlet) && look_around(state, args[9], &ids, &where) == 0 &&
        PyDict_Contains(args[9], THING(state, SUPPRESSED)) == 0) {
        Line of = {PyFloat_AS_DOUBLE(args[7]), name, args[4], args[5], args[8], NULL, 1};
        text = write_both(state, &where, &of, PyLong_AsLong(args[6]), outlet, lines);
    }
    where_free(&where);
    Py_DECREF(ids);
    Py_XDECREF(outlet);
    if (text != NULL)
        return text;
    return unless_fatal() < 0 ? NULL : Py_NewRef(Py_None);
}
