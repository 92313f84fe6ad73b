/*
 * What a log record consists of, but for what it says. The twin is flat_log() of
 * record/flatten.py.
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

/* Python's int(created * 1e9). */
int
time_ns(double created, uint64_t *time)
{
    double nanoseconds = created * 1e9;
    if (!(nanoseconds >= 0 && nanoseconds < 1.8e19))
        return -1;
    *time = (uint64_t)nanoseconds;
    return 0;
}

static PyObject *
value_of(PyObject *values, PyObject *name, PyTypeObject *kind)
{
    PyObject *value = PyDict_GetItemWithError(values, name);
    return value != NULL && Py_IS_TYPE(value, kind) ? value : NULL;
}

int
find_parts(State *state, const Where *where, PyObject *values, LogParts *of)
{
    PyObject *created = value_of(values, NAME(state, created), &PyFloat_Type);
    PyObject *level = value_of(values, NAME(state, levelno), &PyLong_Type);
    of->severity = value_of(values, NAME(state, levelname), &PyUnicode_Type);
    of->logger = value_of(values, NAME(state, name), &PyUnicode_Type);
    if (created == NULL || level == NULL || of->severity == NULL || of->logger == NULL)
        return -1;
    int overflow;
    long number = PyLong_AsLongAndOverflow(level, &overflow);
    of->number = (uint64_t)severity(number);
    say_where(state, where, of);
    return overflow ? -1 : time_ns(PyFloat_AS_DOUBLE(created), &of->time);
}

void
say_where(State *state, const Where *where, LogParts *of)
{
    PyObject *request_id = PyTuple_GET_ITEM(where->ids, 3);
    of->trace = PyTuple_GET_ITEM(where->numbers, 0);
    of->span = PyTuple_GET_ITEM(where->numbers, 1);
    of->flags = PyTuple_GET_ITEM(where->numbers, 2);
    of->request_id_name = NAME(state, request_id);
    of->request_id = request_id == Py_None ? NULL : request_id;
}
