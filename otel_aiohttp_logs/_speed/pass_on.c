/*
 * A record is made flat and given to the one outlet. The twins are OutletHandler.handle() of
 * record/handler.py and flat_log() of record/flatten.py.
 */
#include "speed.h"

/* See severity_number(). */
long
severity(long level)
{
    if (level < 10)
        return 1 + (level < 0 ? 0 : level) * 4 / 10;
    if (level < 50)
        return 5 + (level - 10) / 10 * 4 + (level % 10) * 4 / 10;
    return level >= 60 ? 24 : 21 + (level - 50) * 4 / 10;
}

static PyObject *
time_ns(PyObject *created)
{
    if (created == NULL || !PyFloat_CheckExact(created))
        return NULL;
    return PyLong_FromDouble(PyFloat_AS_DOUBLE(created) * 1e9);
}

static PyObject *
severity_of(PyObject *level)
{
    if (level == NULL || !PyLong_CheckExact(level))
        return NULL;
    int overflow;
    long number = PyLong_AsLongAndOverflow(level, &overflow);
    return overflow ? NULL : PyLong_FromLong(severity(number));
}

static PyObject *
text_in(PyObject *values, PyObject *name)
{
    PyObject *text = PyDict_GetItemWithError(values, name);
    return text != NULL && PyUnicode_CheckExact(text) ? Py_NewRef(text) : NULL;
}

static PyObject *
attributes_of(State *state, const Where *where, PyObject *words)
{
    PyObject *attributes = PyDict_Copy(PyTuple_GET_ITEM(words, 1));
    PyObject *request_id = PyTuple_GET_ITEM(where->ids, 3);
    if (attributes != NULL && request_id != Py_None &&
        PyDict_SetItem(attributes, NAME(state, request_id), request_id) < 0)
        Py_CLEAR(attributes);
    return attributes;
}

static PyObject *
flat(State *state, const Where *where, PyObject *record, PyObject *values, PyObject *words)
{
    PyObject *log = tuple_of(THING(state, FLAT_LOG), 10);
    if (log == NULL)
        return NULL;
    PyObject *const *numbers = PySequence_Fast_ITEMS(where->numbers);
    PyObject *event = Py_IS_TYPE(record, (PyTypeObject *)THING(state, EVENT))
                          ? THING(state, EVENT_NAME)
                          : THING(state, NO_NAME);
    PyObject *fields[] = {
        time_ns(PyDict_GetItemWithError(values, NAME(state, created))),
        severity_of(PyDict_GetItemWithError(values, NAME(state, levelno))),
        text_in(values, NAME(state, levelname)),
        text_in(values, NAME(state, name)),
        Py_NewRef(PyTuple_GET_ITEM(words, 0)),
        attributes_of(state, where, words),
        Py_NewRef(numbers[0]),
        Py_NewRef(numbers[1]),
        Py_NewRef(numbers[2]),
        Py_NewRef(event),
    };
    int whole = 1;
    for (int i = 0; i < 10; i++) {
        whole = whole && fields[i] != NULL;
        PyTuple_SET_ITEM(log, i, fields[i]);
    }
    if (!whole)
        Py_CLEAR(log);
    return log;
}

/* Returns the flat record, and leaves on *record* what it says, for the line on stdout. */
static PyObject *
flat_log(State *state, const Where *where, PyObject *record)
{
    PyObject *values = PyObject_GenericGetDict(record, NULL);
    PyObject *words = values == NULL ? NULL : say(state, where, record, values);
    PyObject *log = NULL;
    if (words != NULL) {
        log = flat(state, where, record, values, words);
        PyObject **left = slot(record, state->said_at);
        Py_XSETREF(*left, words);
    }
    Py_XDECREF(values);
    return log;
}

PyObject *
only_outlet(State *state, PyObject *handler)
{
    PyObject *outlets = PyObject_GetAttr(handler, NAME(state, outlets));
    PyObject *outlet = NULL;
    if (outlets != NULL && PyTuple_CheckExact(outlets) && PyTuple_GET_SIZE(outlets) == 1)
        outlet = Py_NewRef(PyTuple_GET_ITEM(outlets, 0));
    Py_XDECREF(outlets);
    return outlet;
}

/* Our exporter's and aiohttp's access lines need a closer look. */
static int
has_odd_name(State *state, PyObject *record)
{
    if (Py_IS_TYPE(record, (PyTypeObject *)THING(state, EVENT)))
        return 0;
    PyObject *values = PyObject_GenericGetDict(record, NULL);
    PyObject *name = values ? PyDict_GetItemWithError(values, NAME(state, name)) : NULL;
    int odd = name == NULL || !PyUnicode_CheckExact(name) ||
              PySet_Contains(THING(state, ODD_NAMES), name);
    Py_XDECREF(values);
    return odd;
}

int
has_no_filters(State *state, PyObject *handler)
{
    PyObject *filters = PyObject_GetAttr(handler, NAME(state, filters));
    int all = filters && PyList_CheckExact(filters) && PyList_GET_SIZE(filters) == 0;
    Py_XDECREF(filters);
    return all;
}

int
is_for_us(State *state, PyObject *handler, PyObject *record)
{
    return is_record(state, record) && !has_odd_name(state, record) &&
           has_no_filters(state, handler);
}

static PyObject *
ordinary(State *state, PyObject *handler, PyObject *record)
{
    if (!is_for_us(state, handler, record))
        return NULL;
    Where where = {0};
    PyObject *log = NULL;
    if (find_out_where(state, record, &where) == 0 &&
        PyDict_Contains(where.context, THING(state, SUPPRESSED)) == 0)
        log = flat_log(state, &where, record);
    where_free(&where);
    return log;
}

static PyObject *
report(State *state, PyObject *handler, PyObject *record)
{
    PyObject *type, *value, *traceback, *type_before, *value_before, *traceback_before;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(value, traceback);
    PyErr_GetExcInfo(&type_before, &value_before, &traceback_before);
    PyErr_SetExcInfo(type, value, traceback);
    PyObject *done = PyObject_CallMethodOneArg(handler, NAME(state, handleError), record);
    PyErr_SetExcInfo(type_before, value_before, traceback_before);
    return done;
}

/* pass_on(handler, record) */
PyObject *
pass_on(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    if (number != 2) {
        PyErr_SetString(PyExc_TypeError, "pass_on takes 2 arguments");
        return NULL;
    }
    State *state = state_of(module);
    PyObject *handler = args[0], *record = args[1];
    PyObject *outlet = only_outlet(state, handler);
    PyObject *log = outlet == NULL ? NULL : ordinary(state, handler, record);
    if (log == NULL) {
        Py_XDECREF(outlet);
        if (unless_fatal() < 0)
            return NULL;
        return PyObject_CallMethodObjArgs((PyObject *)Py_TYPE(handler),
                                          NAME(state, handle), handler, record, NULL);
    }
    PyObject *both[] = {record, log};
    PyObject *done = PyObject_Vectorcall(outlet, both, 2, NULL);
    Py_DECREF(outlet);
    Py_DECREF(log);
    if (done == NULL && PyErr_ExceptionMatches(PyExc_Exception))
        done = report(state, handler, record);
    if (done == NULL)
        return NULL;
    Py_DECREF(done);
    return Py_NewRef(Py_True);
}
