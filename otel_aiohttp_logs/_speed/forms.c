/*
 * What a value becomes whose class isn't one of Python's plainest. Which form a class has is
 * asked of Python once, see record/forms.py; the numbers are those in there.
 */
#include "speed.h"

#define MOST_FORMS 512

enum { LEFT_TO_TWIN, TEXT, MOMENT, SHOWN, ERROR, WHOLE, PART, GUID };

static int
form_number(State *state, PyTypeObject *kind)
{
    PyObject *forms = THING(state, KNOWN_FORMS), *class = (PyObject *)kind;
    /* A class of classes may have a hash of its own, which may do anything. */
    if (Py_TYPE(class)->tp_hash != PyType_Type.tp_hash ||
        Py_TYPE(class)->tp_richcompare != PyType_Type.tp_richcompare)
        return LEFT_TO_TWIN;
    PyObject *known = PyDict_GetItemWithError(forms, class);
    if (known != NULL)
        return (int)PyLong_AsLong(known);
    if (PyErr_Occurred() || PyDict_GET_SIZE(forms) >= MOST_FORMS)
        return LEFT_TO_TWIN;
    PyObject *number = PyObject_CallOneArg(THING(state, FORM_NUMBER), class);
    int result = LEFT_TO_TWIN;
    if (number != NULL && PyDict_SetItem(forms, class, number) == 0)
        result = (int)PyLong_AsLong(number);
    Py_XDECREF(number);
    return result;
}

/* Returns a text without its subclass; takes over the reference. */
static PyObject *
exact(PyObject *text)
{
    if (text == NULL || PyUnicode_CheckExact(text))
        return text;
    PyObject *result = PyUnicode_Check(text) ? PyUnicode_Type.tp_str(text) : NULL;
    Py_DECREF(text);
    return result;
}

static PyObject *
error_text(PyObject *error)
{
    PyObject *class = (PyObject *)Py_TYPE(error);
    if (!Py_IS_TYPE(class, &PyType_Type))
        return NULL;
    PyObject *name = PyObject_GetAttrString(class, "__name__");
    PyObject *reason = exact(PyObject_Str(error)), *text = NULL;
    if (name != NULL && PyUnicode_CheckExact(name) && is_tidy(name, 128) &&
        reason != NULL)
        text = PyUnicode_FromFormat("%U: %U", name, reason);
    Py_XDECREF(name);
    Py_XDECREF(reason);
    return text;
}

PyObject *
guid_text(const unsigned char *bytes)
{
    static const char digits[] = "0123456789abcdef";
    PyObject *text = PyUnicode_New(36, 127);
    if (text == NULL)
        return NULL;
    Py_UCS1 *to = PyUnicode_1BYTE_DATA(text);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = (Py_UCS1)digits[bytes[i] >> 4];
        *to++ = (Py_UCS1)digits[bytes[i] & 15];
    }
    return text;
}

static PyObject *
guid_of(State *state, PyObject *value)
{
    unsigned char bytes[16];
    PyObject *number = PyObject_GetAttr(value, NAME(state, int));
    PyObject *text = NULL;
    if (number != NULL && as_bytes(number, bytes, 16) == 0)
        text = guid_text(bytes);
    Py_XDECREF(number);
    return text;
}

/* Returns the text or the number that stands for *value*, NULL for what is unusual. */
PyObject *
form_of(State *state, PyObject *value)
{
    PyObject *text;
    switch (form_number(state, Py_TYPE(value))) {
    case TEXT:
        return exact(Py_NewRef(value));
    case MOMENT:
        if (is_datetime(value) && (text = isoformat(state, value)) != NULL)
            return text;
        return exact(PyObject_CallMethodNoArgs(value, NAME(state, isoformat)));
    case SHOWN:
        return exact(PyObject_Str(value));
    case ERROR:
        return error_text(value);
    case WHOLE:
        return PyNumber_Long(value);
    case PART:
        return PyNumber_Float(value);
    case GUID:
        return guid_of(state, value);
    default:
        return NULL;
    }
}
