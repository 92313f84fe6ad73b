/*
 * Lines for stdout. The twins are StdoutHandler.handle() of output/stdout.py and JSONFormatter.format() of output/json_lines.py.
 */
#include "speed.h"

/* 1 if each handler of *logger* is one of *ours*. */
static int
has_ours_only(State *state, PyObject *logger, PyObject *ours)
{
    PyObject *handlers = PyObject_GetAttr(logger, NAME(state, handlers));
    int only = handlers != NULL && PyList_CheckExact(handlers);
    for (Py_ssize_t i = 0; only && i < PyList_GET_SIZE(handlers); i++) {
        int found = 0;
        for (Py_ssize_t k = 0; !found && k < PyTuple_GET_SIZE(ours); k++)
            found = PyList_GET_ITEM(handlers, i) == PyTuple_GET_ITEM(ours, k);
        only = found;
    }
    Py_XDECREF(handlers);
    return only;
}

/* Takes over the reference to *logger*, and returns one to the next on the way up. */
static PyObject *
next_logger(State *state, PyObject *logger)
{
    PyObject *on = PyObject_GetAttr(logger, NAME(state, propagate));
    PyObject *parent = NULL;
    if (on == Py_True)
        parent = PyObject_GetAttr(logger, NAME(state, parent));
    else if (on == Py_False)
        parent = Py_NewRef(Py_None);
    Py_XDECREF(on);
    Py_DECREF(logger);
    return parent;
}

static PyObject *
logger_named(State *state, PyObject *root, PyObject *name)
{
    PyObject *manager = PyObject_GetAttr(root, NAME(state, manager));
    PyObject *known = manager ? PyObject_GetAttr(manager, NAME(state, loggerDict)) : NULL;
    PyObject *logger = NULL;
    if (known != NULL && PyDict_CheckExact(known))
        logger = Py_XNewRef(PyDict_GetItemWithError(known, name));
    /* The root logger isn't among them. */
    if (logger == NULL && known != NULL && !PyErr_Occurred() &&
        PyUnicode_CompareWithASCIIString(name, "root") == 0)
        logger = Py_NewRef(root);
    Py_XDECREF(manager);
    Py_XDECREF(known);
    return logger;
}

/* 1 if no handler but ours gets the records of the logger *name*; 0 may be a yes, too. */
static int
is_ours_alone(State *state, PyObject *name, PyObject *ours)
{
    PyObject *root = module_item(state, T_LOGGING, NAME(state, root));
    PyObject *logger = root ? logger_named(state, root, name) : NULL;
    while (logger != NULL && logger != Py_None) {
        if (!PyObject_TypeCheck(logger, (PyTypeObject *)THING(state, LOGGER)) ||
            !has_ours_only(state, logger, ours)) {
            Py_DECREF(logger);
            return 0;
        }
        if (logger == root)
            break; /* there is nobody above */
        logger = next_logger(state, logger);
    }
    Py_XDECREF(logger);
    return logger != NULL;
}

int
writes_json_alone(State *state, PyObject *handler, PyObject *name, PyObject *kind)
{
    PyObject *formatter = PyObject_GetAttr(handler, NAME(state, formatter));
    PyObject *ours = PyObject_GetAttr(handler, NAME(state, _ours));
    int yes = formatter != NULL && (PyObject *)Py_TYPE(formatter) == kind &&
              ours != NULL && PyTuple_CheckExact(ours) && name != NULL &&
              PyUnicode_CheckExact(name) && is_ours_alone(state, name, ours);
    Py_XDECREF(formatter);
    Py_XDECREF(ours);
    return yes;
}

static int
writes_json(State *state, PyObject *handler, PyObject *record, PyObject *kind)
{
    PyObject *values = PyObject_GenericGetDict(record, NULL);
    PyObject *name = values ? PyDict_GetItemWithError(values, NAME(state, name)) : NULL;
    int yes = writes_json_alone(state, handler, name, kind);
    Py_XDECREF(values);
    return yes;
}

/* Returns what was left on the record, which is then gone, or what it says. */
static PyObject *
take(State *state, const Where *where, PyObject *record)
{
    PyObject **left = slot(record, state->said_at);
    if (*left != NULL && *left != Py_None) {
        PyObject *words = *left;
        *left = Py_NewRef(Py_None);
        return words;
    }
    PyObject *values = PyObject_GenericGetDict(record, NULL);
    PyObject *words = values == NULL ? NULL : say(state, where, record, values);
    Py_XDECREF(values);
    return words;
}

static PyObject *
line_of(State *state, PyObject *record, PyObject *words, PyObject *ids, const char *end)
{
    Buffer line = {0};
    PyObject *text = NULL;
    if (put_line(state, &line, record, words, ids) == 0 &&
        put_bytes(&line, end, strlen(end)) == 0)
        text = PyUnicode_DecodeUTF8((char *)line.data, (Py_ssize_t)line.size, NULL);
    buffer_free(&line);
    return text;
}

static PyObject *
or_none(PyObject *text)
{
    if (text != NULL)
        return text;
    return unless_fatal() < 0 ? NULL : Py_NewRef(Py_None);
}

/* Returns the line that *handler* writes for the record, NULL where that's for the twin. */
static PyObject *
ordinary_line(State *state, PyObject *handler, PyObject *record, PyObject *formatter)
{
    if (!is_for_us(state, handler, record) ||
        !writes_json(state, handler, record, formatter))
        return NULL;
    PyObject *line = NULL;
    Where where = {.ids_only = 1};
    if (find_out_where(state, record, &where) == 0) {
        PyObject *words = take(state, &where, record);
        if (words != NULL)
            line = line_of(state, record, words, where.ids, "\n");
        /* The twin takes it from there, then. */
        if (line == NULL && words != NULL)
            Py_XSETREF(*slot(record, state->said_at), Py_NewRef(words));
        Py_XDECREF(words);
    }
    where_free(&where);
    return line;
}

/* show(handler, JSONFormatter, record) */
PyObject *
show(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    if (number != 3) {
        PyErr_SetString(PyExc_TypeError, "show takes 3 arguments");
        return NULL;
    }
    State *state = state_of(module);
    PyObject *line = ordinary_line(state, args[0], args[2], args[1]);
    if (line == NULL) {
        if (unless_fatal() < 0)
            return NULL;
        return PyObject_CallMethodObjArgs((PyObject *)Py_TYPE(args[0]), NAME(state, handle),
                                          args[0], args[2], NULL);
    }
    int failed = write_text(state, args[0], line);
    Py_DECREF(line);
    return failed ? NULL : Py_NewRef(Py_True);
}

/* json_line(record, words): the line without its end, None where it's for the twin. */
PyObject *
json_line(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    State *state = state_of(module);
    PyObject *line = NULL;
    Where where = {.ids_only = 1};
    if (number == 2 && is_record(state, args[0]) &&
        find_out_where(state, args[0], &where) == 0)
        line = line_of(state, args[0], args[1], where.ids, "");
    where_free(&where);
    return or_none(line);
}
