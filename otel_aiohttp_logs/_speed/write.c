/*
 * A line is written to stdout. The twin is StdoutHandler.write() of output/stdout.py.
 *
 * By the stream's own two methods, not around it: only so what was printed before comes
 * before it, and nobody's line is torn.
 */
#include "speed.h"

static int
failed_call(PyObject *object, PyObject *name)
{
    PyObject *done = object ? PyObject_CallMethodNoArgs(object, name) : NULL;
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int
write_out(State *state, PyObject *line)
{
    PyObject *out = module_item(state, T_SYS, NAME(state, stdout));
    if (out == NULL)
        return -1;
    Py_INCREF(out);
    PyObject *done = PyObject_CallMethodOneArg(out, NAME(state, write), line);
    int failed = done == NULL || failed_call(out, NAME(state, flush)) < 0;
    Py_XDECREF(done);
    Py_DECREF(out);
    return failed ? -1 : 0;
}

static int
write_locked(State *state, PyObject *handler, PyObject *line)
{
    PyObject *lock = PyObject_GetAttr(handler, NAME(state, lock));
    if (failed_call(lock, NAME(state, acquire)) < 0) {
        Py_XDECREF(lock);
        return -1;
    }
    int failed = write_out(state, line);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (failed_call(lock, NAME(state, release)) < 0) {
        failed = -1;
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
    } else {
        PyErr_Restore(type, value, traceback);
    }
    Py_DECREF(lock);
    return failed;
}

int
write_text(State *state, PyObject *handler, PyObject *line)
{
    if (write_locked(state, handler, line) == 0)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    /* What stdout can't encode, the twin escapes. */
    int encodes = !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError);
    PyErr_Clear();
    PyObject *done = encodes
                         ? PyObject_CallMethodNoArgs(handler, NAME(state, lose))
                         : PyObject_CallMethodOneArg(handler, NAME(state, write), line);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
