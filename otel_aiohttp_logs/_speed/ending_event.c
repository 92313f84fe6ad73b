/*
 * The event of a request that was answered with less than 400, and that nothing was bound to.
 * The twin is ServedRequest._write_event() of request/serve.py, and Events.write().
 */
#include "begin.h"

static int
is_wanted_now(Begin *begin)
{
    PyObject *wanted = PyObject_CallOneArg(IT(event_wanted), IT(info));
    int is_so = wanted == NULL ? -1 : PyObject_IsTrue(wanted);
    Py_XDECREF(wanted);
    return is_so;
}

/* In microseconds, as round(seconds, 6) has it. */
static PyObject *
rounded(double seconds)
{
    return PyFloat_FromDouble((double)(long long)(seconds * 1e6 + 0.5) / 1e6);
}

static int
put_owned(PyObject *said, PyObject *name, PyObject *value)
{
    int failed = value == NULL ? -1 : PyDict_SetItem(said, name, value);
    Py_XDECREF(value);
    return failed;
}

static int
put_times(Begin *begin, PyObject *said, PyObject *served)
{
    PyObject *started = OF_SERVED(served, _started), *now = clock_now(begin);
    PyObject *responded = OF_SERVED(served, _responded);
    int failed = -1;
    if (now != NULL && PyFloat_CheckExact(now) && PyFloat_CheckExact(started) &&
        PyFloat_CheckExact(responded)) {
        double start = PyFloat_AS_DOUBLE(started);
        failed = put_owned(said, IT(duration_name),
                           rounded(PyFloat_AS_DOUBLE(now) - start)) < 0 ||
                 put_owned(said, IT(first_byte_name),
                           rounded(PyFloat_AS_DOUBLE(responded) - start)) < 0;
    }
    Py_XDECREF(now);
    return failed ? -1 : 0;
}

static PyObject *
said_of(Begin *begin, PyObject *served, PyObject *status)
{
    PyObject *said = PyDict_Copy(OF_SERVED(served, _attributes));
    if (said == NULL || put_times(begin, said, served) < 0 ||
        put_owned(said, IT(size_name), ASK(OF_SERVED(served, _response), body_length)) < 0 ||
        PyDict_SetItem(said, IT(status_name), status) < 0 ||
        PyDict_SetItem(said, IT(outcome_name), IT(ok)) < 0)
        Py_CLEAR(said);
    return said;
}

static PyObject *
text_of(Begin *begin, PyObject *said, PyObject *status)
{
    PyObject *method = PyDict_GetItemWithError(said, IT(method_name));
    PyObject *path = PyDict_GetItemWithError(said, IT(path_name));
    if (method == NULL || path == NULL || !PyUnicode_Check(method) || !PyUnicode_Check(path))
        return NULL;
    return PyUnicode_FromFormat("%U %U %ld", method, path, PyLong_AsLong(status));
}

int
end_event(Begin *begin, PyObject *served, PyObject *status)
{
    PyObject *bound = OF_SCOPE(OF_SERVED(served, scope), bound);
    if (IT(event_wanted) == Py_None || !PyDict_CheckExact(bound) ||
        PyDict_GET_SIZE(bound) > 0)
        return UNUSUAL;
    int wanted = is_wanted_now(begin);
    if (wanted <= 0)
        return wanted == 0 ? 0 : unless_fatal();
    if (know_attributes(begin, served) < 0)
        return unless_fatal();
    PyObject *said = said_of(begin, served, status);
    PyObject *text = said == NULL ? NULL : text_of(begin, said, status), *done = NULL;
    if (text != NULL) {
        PyObject *all[] = {text, IT(info), said, OF_SERVED(served, context)};
        done = PyObject_Vectorcall(IT(write_event), all, 4, NULL);
    }
    Py_XDECREF(said);
    Py_XDECREF(text);
    int left = done == Py_True ? 0 : unless_fatal();
    Py_XDECREF(done);
    return left;
}
