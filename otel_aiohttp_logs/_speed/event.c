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

/*
 * Queues the event, if there's a queue, and writes its line: 1 if that is done, 0 leaves it
 * to the twin, or -1.
 */
static int
write_both(State *state, const Where *where, Line *of, long level, PyObject *waiting,
           PyObject *shows)
{
    LogParts parts = {
        .number = (uint64_t)severity(level), .severity = of->level, .logger = of->logger,
        .body = of->message, .attributes = of->fields, .event = THING(state, EVENT_NAME),
    };
    say_where(state, where, &parts);
    if (time_ns(of->created, &parts.time) < 0)
        return 0;
    of->ids = where->ids;
    PyObject *text = shows ? text_of(state, of) : Py_NewRef(Py_None);
    int done = text != NULL && (waiting == NULL || queue_log(state, waiting, &parts) > 0);
    if (done && shows && write_text(state, shows, text) < 0)
        done = -1;
    Py_XDECREF(text);
    return done;
}

/* 1 if only our handlers are on the root logger; *shows* is the one that writes lines. */
static int
is_written_here(State *state, PyObject *const *args, PyObject **shows)
{
    PyObject *root = module_item(state, T_LOGGING, NAME(state, root));
    PyObject *handlers = root ? PyObject_GetAttr(root, NAME(state, handlers)) : NULL;
    PyObject *leaves = PyObject_GetAttr(args[2], NAME(state, writes_access_lines));
    int lines = 0;
    int here = handlers != NULL && leaves == Py_False &&
               count_ours(handlers, args[0], args[1], &lines) == 1 && lines <= 1 &&
               has_no_filters(state, args[0]);
    *shows = lines ? args[1] : NULL;
    Py_XDECREF(handlers);
    Py_XDECREF(leaves);
    return here && (lines == 0 || (has_no_filters(state, args[1]) &&
                                   writes_json_alone(state, args[1], args[4], args[3])));
}

static int
is_ordinary(State *state, PyObject *const *args, Py_ssize_t number, double *created)
{
    if (!PyUnicode_CheckExact(args[4]) || !PyUnicode_CheckExact(args[5]) ||
        !is_tidy(args[5], 8192) || !PyLong_CheckExact(args[6]) || !is_plain_dict(args[7]))
        return 0;
    if (number == 9)
        return seconds_now(state, created) == 0;
    *created = PyFloat_AsDouble(args[9]);
    return !PyErr_Occurred();
}

/*
 * write_event(passing_on, stdout, gunicorn, JSONFormatter, logger, text, level, fields,
 * context, created=now): False where it's for the twin.
 */
PyObject *
write_event(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    if (number < 9 || number > 10) {
        PyErr_SetString(PyExc_TypeError, "write_event takes 9 or 10 arguments");
        return NULL;
    }
    State *state = state_of(module);
    PyObject *shows;
    Line of = {.logger = args[4], .message = args[5], .fields = args[7], .is_event = 1};
    if (!is_ordinary(state, args, number, &of.created) ||
        !is_written_here(state, args, &shows))
        return unless_fatal() < 0 ? NULL : Py_NewRef(Py_False);
    of.level = Py_XNewRef(PyDict_GetItemWithError(THING(state, LEVEL_NAMES), args[6]));
    PyObject *outlet = only_outlet(state, args[0]), *ids = Py_NewRef(Py_None);
    PyObject *waiting = outlet == NULL ? NULL : waiting_of_outlet(outlet);
    Where where = {0};
    int done = 0, ready = waiting != NULL || has_no_outlet(state, args[0]);
    if (of.level != NULL && PyUnicode_CheckExact(of.level) && ready &&
        look_around(state, args[8], &ids, &where) == 0 &&
        PyDict_Contains(args[8], THING(state, SUPPRESSED)) == 0)
        done = write_both(state, &where, &of, PyLong_AsLong(args[6]), waiting, shows);
    where_free(&where);
    Py_DECREF(ids);
    Py_XDECREF(of.level);
    Py_XDECREF(outlet);
    if (done < 0 || (done == 0 && unless_fatal() < 0))
        return NULL;
    return PyBool_FromLong(done);
}
