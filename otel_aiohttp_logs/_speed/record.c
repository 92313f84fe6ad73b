/*
 * A stamped record is made. The twin is StampedRecord.__init__ of record/stamp.py, which goes
 * through logging.LogRecord.__init__: the same functions of Python are asked, by their names,
 * so that whatever somebody put in their place is asked here, too.
 */
#include "speed.h"

typedef struct {
    PyObject *name, *level, *path, *line, *msg, *args, *exc_info, *function, *stack;
} Given;

static PyObject *
level_name(State *state, PyObject *level)
{
    PyObject *function = is_untouched(state)
                             ? THING(state, GET_LEVEL_NAME)
                             : module_item(state, T_LOGGING, NAME(state, getLevelName));
    if (function == NULL)
        return NULL;
    if (function == THING(state, GET_LEVEL_NAME) && PyLong_CheckExact(level)) {
        PyObject *name = PyDict_GetItemWithError(THING(state, LEVEL_NAMES), level);
        if (name != NULL && PyUnicode_CheckExact(name))
            return Py_NewRef(name);
    }
    Py_INCREF(function);
    PyObject *name = PyObject_CallOneArg(function, level);
    Py_DECREF(function);
    return name;
}

static int
put_path(State *state, PyObject *values, PyObject *path)
{
    if (!PyUnicode_CheckExact(path))
        return -1;
    PyObject *parts = Py_XNewRef(PyDict_GetItemWithError(THING(state, PATHS), path));
    if (parts == NULL) {
        parts = PyObject_CallOneArg(THING(state, SPLIT), path);
        if (parts == NULL || !PyTuple_CheckExact(parts) || PyTuple_GET_SIZE(parts) != 2 ||
            (PyDict_GET_SIZE(THING(state, PATHS)) < 1000 &&
             PyDict_SetItem(THING(state, PATHS), path, parts) < 0)) {
            Py_XDECREF(parts);
            return -1;
        }
    }
    int failed =
        PyDict_SetItem(values, NAME(state, pathname), path) < 0 ||
        PyDict_SetItem(values, NAME(state, filename), PyTuple_GET_ITEM(parts, 0)) < 0 ||
        PyDict_SetItem(values, NAME(state, module), PyTuple_GET_ITEM(parts, 1)) < 0;
    Py_DECREF(parts);
    return failed ? -1 : 0;
}

static int
is_plain(PyObject *value)
{
    return PyUnicode_CheckExact(value) || PyLong_CheckExact(value) ||
           PyFloat_CheckExact(value) || PyBool_Check(value) || value == Py_None;
}

/* A mapping alone is what the message is formatted with, if there's something in it. */
static int
put_args(State *state, PyObject *values, PyObject *args)
{
    if (!PyTuple_CheckExact(args))
        return -1;
    if (PyTuple_GET_SIZE(args) == 1 && !is_plain(PyTuple_GET_ITEM(args, 0))) {
        PyObject *only = PyTuple_GET_ITEM(args, 0);
        int mapping = PyObject_IsInstance(only, THING(state, MAPPING));
        if (mapping > 0)
            mapping = PyObject_IsTrue(only);
        if (mapping < 0)
            return -1;
        if (mapping)
            args = only;
    }
    return PyDict_SetItem(values, NAME(state, args), args);
}

/* The template has None. */
static int
put_if_any(PyObject *values, PyObject *name, PyObject *value)
{
    return value == Py_None ? 0 : PyDict_SetItem(values, name, value);
}

static int
put_given(State *state, PyObject *values, const Given *given)
{
    if (PyDict_SetItem(values, NAME(state, name), given->name) < 0 ||
        PyDict_SetItem(values, NAME(state, msg), given->msg) < 0 ||
        set_item(values, NAME(state, levelname), level_name(state, given->level)) < 0 ||
        PyDict_SetItem(values, NAME(state, levelno), given->level) < 0 ||
        put_if_any(values, NAME(state, exc_info), given->exc_info) < 0 ||
        put_if_any(values, NAME(state, stack_info), given->stack) < 0 ||
        PyDict_SetItem(values, NAME(state, lineno), given->line) < 0)
        return -1;
    return PyDict_SetItem(values, NAME(state, funcName), given->function);
}

/* Returns what vars(record) will be: a copy of those of a blank record, and so in order. */
static PyObject *
values_of(State *state, const Given *given)
{
    PyObject *values = values_here(state);
    if (values == NULL)
        return NULL;
    if (put_when(state, values) < 0 || put_given(state, values, given) < 0 ||
        put_args(state, values, given->args) < 0 ||
        put_path(state, values, given->path) < 0 || put_task(state, values) < 0) {
        Py_DECREF(values);
        return NULL;
    }
    return values;
}

static int
stamp(State *state, PyObject *record)
{
    PyObject *context, *bound;
    if (PyContextVar_Get(THING(state, CONTEXT_VAR), NULL, &context) < 0)
        return -1;
    *slot(record, state->context_at) = context;
    if (context == NULL || PyContextVar_Get(THING(state, BOUND_VAR), Py_None, &bound) < 0)
        return -1;
    *slot(record, state->bound_at) = bound;
    *slot(record, state->ids_at) = Py_NewRef(Py_None);
    *slot(record, state->said_at) = Py_NewRef(Py_None);
    return 0;
}

static PyObject *
record_of(State *state, PyTypeObject *kind, const Given *given)
{
    PyObject *values = values_of(state, given);
    if (values == NULL)
        return NULL;
    PyObject *record = kind->tp_alloc(kind, 0);
    if (record != NULL && (PyObject_GenericSetDict(record, values, NULL) < 0 ||
                           stamp(state, record) < 0))
        Py_CLEAR(record);
    Py_DECREF(values);
    return record;
}

static PyObject *
make(State *state, PyObject *kind, PyObject *const *args, Py_ssize_t number,
     PyObject *keywords)
{
    if (kind == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "configure() comes first");
        return NULL;
    }
    if (number >= 7 && number <= 9 && keywords == NULL && args[0] != Py_None) {
        Given given = {
            args[0], args[1], args[2], args[3], args[4], args[5], args[6],
            number > 7 ? args[7] : Py_None, number > 8 ? args[8] : Py_None,
        };
        PyObject *record = record_of(state, (PyTypeObject *)kind, &given);
        if (record != NULL)
            return record;
        /* The twin raises it again, if it's what it should raise. */
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception))
            return NULL;
        PyErr_Clear();
    }
    return PyObject_Vectorcall(kind, args, (size_t)number, keywords);
}

/* make_record(name, level, pathname, lineno, msg, args, exc_info, func=None, sinfo=None) */
PyObject *
make_record(PyObject *module, PyObject *const *args, Py_ssize_t number, PyObject *keywords)
{
    State *state = state_of(module);
    return make(state, THING(state, RECORD), args, number, keywords);
}

/* The same for the event of a request. */
PyObject *
make_event(PyObject *module, PyObject *const *args, Py_ssize_t number, PyObject *keywords)
{
    State *state = state_of(module);
    return make(state, THING(state, EVENT), args, number, keywords);
}
