/*
 * The event of a request, where only our own two handlers hear it: then nobody needs a log
 * record, and it is queued and becomes a line at once. The twin is the way with a record.
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
text_of(State *state, const Line *of)
{
    Buffer line = {0};
    PyObject *text = NULL;
    if (put_parts_of_line(state, &line, of) == 0 && put_byte(&line, '\n') == 0)
        text = PyUnicode_DecodeUTF8((char *)line.data, (Py_ssize_t)line.size, NULL);
    buffer_free(&line);
    return text;
}

/* Returns the line, or an empty one, when the event has been queued; else NULL. */
static PyObject *
write_both(State *state, const Where *where, Line *of, long level, PyObject *waiting, int lines)
{
    LogParts parts = {
        .number = (uint64_t)severity(level), .severity = of->level, .logger = of->logger,
        .body = of->message, .attributes = of->fields, .event = THING(state, EVENT_NAME),
    };
    say_where(state, where, &parts);
    if (time_ns(of->created, &parts.time) < 0)
        return NULL;
    of->ids = where->ids;
    PyObject *text = lines ? text_of(state, of) : PyUnicode_New(0, 0);
    if (text != NULL && queue_log(state, waiting, &parts) <= 0)
        Py_CLEAR(text);
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
    PyObject *name =
        Py_XNewRef(PyDict_GetItemWithError(THING(state, LEVEL_NAMES), args[6]));
    PyObject *outlet = only_outlet(state, args[0]);
    PyObject *ids = Py_NewRef(Py_None), *text = NULL;
    Where where = {0};
    PyObject *waiting = outlet == NULL ? NULL : waiting_of_outlet(outlet);
    if (name != NULL && PyUnicode_CheckExact(name) && waiting != NULL &&
        look_around(state, args[9], &ids, &where) == 0 &&
        PyDict_Contains(args[9], THING(state, SUPPRESSED)) == 0) {
        Line of = {PyFloat_AS_DOUBLE(args[7]), name, args[4], args[5], args[8], NULL, 1, NULL};
        text = write_both(state, &where, &of, PyLong_AsLong(args[6]), waiting, lines);
    }
    where_free(&where);
    Py_DECREF(ids);
    Py_XDECREF(name);
    Py_XDECREF(outlet);
    if (text != NULL)
        return text;
    return unless_fatal() < 0 ? NULL : Py_NewRef(Py_None);
}
