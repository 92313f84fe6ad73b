/*
 * A record is encoded and queued where the one outlet is the queue, else made flat and given
 * to it. The twins are OutletHandler.handle() of record/handler.py and flat_log() of
 * record/flatten.py.
 */
#include "speed.h"

static PyObject *
attributes_of(const LogParts *of)
{
    PyObject *attributes = PyDict_Copy(of->attributes);
    if (attributes != NULL && of->request_id != NULL &&
        PyDict_SetItem(attributes, of->request_id_name, of->request_id) < 0)
        Py_CLEAR(attributes);
    return attributes;
}

static PyObject *
flat(State *state, const LogParts *of)
{
    PyObject *log = tuple_of(THING(state, FLAT_LOG), 10);
    if (log == NULL)
        return NULL;
    PyObject *fields[] = {
        PyLong_FromUnsignedLongLong(of->time),
        PyLong_FromUnsignedLongLong(of->number),
        Py_NewRef(of->severity),
        Py_NewRef(of->logger),
        Py_NewRef(of->body),
        attributes_of(of),
        Py_NewRef(of->trace),
        Py_NewRef(of->span),
        Py_NewRef(of->flags),
        Py_NewRef(of->event),
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

/* Gives the record to the outlet; -1 for an exception of the outlet's. */
static int
give(State *state, PyObject *outlet, PyObject *record, const LogParts *of)
{
    PyObject *waiting = waiting_of_outlet(outlet);
    int queued = waiting ? queue_log(state, waiting, of) : 0;
    if (queued != 0)
        return queued;
    PyObject *both[] = {record, flat(state, of)};
    PyObject *done = both[1] ? PyObject_Vectorcall(outlet, both, 2, NULL) : NULL;
    Py_XDECREF(both[1]);
    Py_XDECREF(done);
    return done == NULL ? -1 : 1;
}

static int
find_and_give(State *state, const Where *where, PyObject *record, PyObject *values,
              PyObject *outlet, LogParts *of)
{
    PyObject *raised, *attributes = NULL;
    if (raised_of(state, record, values, &raised) < 0)
        return 0;
    int given = 0, found = find_parts(state, where, values, of) == 0;
    /* Allocating may run the garbage collector, and so anybody's code. */
    Py_XINCREF(of->severity);
    Py_XINCREF(of->logger);
    if (found && raised != NULL) {
        of->attributes = attributes = attributes_with(state, of, raised);
        of->request_id = NULL;
    }
    if (found && of->attributes != NULL)
        given = give(state, outlet, record, of);
    Py_XDECREF(of->severity);
    Py_XDECREF(of->logger);
    Py_XDECREF(attributes);
    Py_XDECREF(raised);
    return given;
}

/* Leaves on *record* what it says, for the line on stdout; 0 leaves the record to the twin. */
static int
say_and_give(State *state, const Where *where, PyObject *record, PyObject *outlet)
{
    LogParts of = {.event = Py_IS_TYPE(record, (PyTypeObject *)THING(state, EVENT))
                                ? THING(state, EVENT_NAME)
                                : THING(state, NO_NAME)};
    PyObject *values = PyObject_GenericGetDict(record, NULL);
    PyObject *words = values == NULL ? NULL : say(state, where, record, values);
    int given = 0;
    if (words != NULL) {
        PyObject **left = slot(record, state->said_at);
        Py_XSETREF(*left, Py_NewRef(words));
        of.body = PyTuple_GET_ITEM(words, 0);
        of.attributes = PyTuple_GET_ITEM(words, 1);
        given = find_and_give(state, where, record, values, outlet, &of);
    }
    Py_XDECREF(words);
    Py_XDECREF(values);
    return given;
}

/* 1 if the outlet has got the record, 0 if that is left to the twin, or -1. */
static int
ordinary(State *state, PyObject *handler, PyObject *record, PyObject *outlet)
{
    if (!is_for_us(state, handler, record))
        return 0;
    Where where = {0};
    int given = 0;
    if (find_out_where(state, record, &where) == 0 &&
        PyDict_Contains(where.context, THING(state, SUPPRESSED)) == 0)
        given = say_and_give(state, &where, record, outlet);
    where_free(&where);
    return given;
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

int
has_no_outlet(State *state, PyObject *handler)
{
    PyObject *outlets = PyObject_GetAttr(handler, NAME(state, outlets));
    int none = outlets && PyTuple_CheckExact(outlets) && PyTuple_GET_SIZE(outlets) == 0;
    Py_XDECREF(outlets);
    return none;
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
    if (outlet == NULL && has_no_outlet(state, handler))
        return Py_NewRef(Py_False);
    int given = outlet == NULL ? 0 : ordinary(state, handler, record, outlet);
    Py_XDECREF(outlet);
    if (given > 0)
        return Py_NewRef(Py_True);
    if (given == 0) {
        if (unless_fatal() < 0)
            return NULL;
        return PyObject_CallMethodObjArgs((PyObject *)Py_TYPE(handler),
                                          NAME(state, handle), handler, record, NULL);
    }
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return NULL;
    PyObject *done = report(state, handler, record);
    if (done == NULL)
        return NULL;
    Py_DECREF(done);
    return Py_NewRef(Py_True);
}
