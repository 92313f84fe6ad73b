/* A record's message, and which texts go out as they are. */
#include "speed.h"

/* Whether a text goes out as it is: it has a form in UTF-8 that isn't too long. */
int
is_tidy(PyObject *text, Py_ssize_t longest)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    if (size > longest)
        return 0;
    if (PyUnicode_IS_ASCII(text))
        return 1;
    if (utf8_of(text, &size) == NULL) {
        PyErr_Clear();
        return 0;
    }
    return size <= longest;
}

PyObject *
message_of(State *state, PyObject *values)
{
    PyObject *msg = PyDict_GetItemWithError(values, NAME(state, msg));
    PyObject *args = PyDict_GetItemWithError(values, NAME(state, args));
    if (msg == NULL || args == NULL || !PyUnicode_CheckExact(msg))
        return NULL;
    Py_ssize_t given;
    if (PyTuple_CheckExact(args))
        given = PyTuple_GET_SIZE(args);
    else if (PyDict_CheckExact(args))
        given = PyDict_GET_SIZE(args);
    else if (args == Py_None)
        given = 0;
    else
        return NULL;
    PyObject *text;
    if (given == 0) {
        text = Py_NewRef(msg);
    } else {
        /* The application's code runs in here, and may take the record's dict apart. */
        Py_INCREF(msg);
        Py_INCREF(args);
        text = PyUnicode_Format(msg, args);
        Py_DECREF(msg);
        Py_DECREF(args);
    }
    if (text != NULL && (!PyUnicode_CheckExact(text) || !is_tidy(text, LONGEST_MESSAGE)))
        Py_CLEAR(text);
    return text;
}
