/*
 * The exception of a record. exception() of record/exceptions.py is asked for its texts, which
 * takes much longer than all else, and keeps the stack on the record for the next who asks.
 */
#include "speed.h"

/* Sets *raised* to its type, message and stack, NULL if there's none; -1 for the twin. */
int
raised_of(State *state, PyObject *record, PyObject *values, PyObject **raised)
{
    PyObject *info = PyDict_GetItemWithError(values, NAME(state, exc_info));
    PyObject *text = PyDict_GetItemWithError(values, NAME(state, exc_text));
    *raised = NULL;
    if (info == NULL || text == NULL)
        return -1;
    if ((info == Py_None || info == Py_False) && text == Py_None)
        return 0;
    PyObject *answer = PyObject_CallOneArg(THING(state, EXCEPTION), record);
    if (answer == NULL)
        return -1;
    if (PyTuple_Check(answer) && PyTuple_GET_SIZE(answer) == 3)
        *raised = answer;
    else
        Py_DECREF(answer);
    return *raised != NULL || answer == Py_None ? 0 : -1;
}

/* Returns the attributes of a log record with its exception among them. */
PyObject *
attributes_with(State *state, const LogParts *of, PyObject *raised)
{
    PyObject *attributes = PyDict_Copy(of->attributes);
    int failed = attributes == NULL ||
                 (of->request_id != NULL &&
                  PyDict_SetItem(attributes, of->request_id_name, of->request_id) < 0);
    for (int i = 0; !failed && i < 3; i++) {
        PyObject *name = PyTuple_GET_ITEM(THING(state, EXCEPTION_NAMES), i);
        failed = PyDict_SetItem(attributes, name, PyTuple_GET_ITEM(raised, i)) < 0;
    }
    if (failed)
        Py_CLEAR(attributes);
    return attributes;
}
