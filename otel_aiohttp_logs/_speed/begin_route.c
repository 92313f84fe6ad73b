/* Where a request goes: route_of() and span_name() of request/attributes.py. */
#include "begin.h"

#define MOST_ROUTES 4096

static PyObject *
template_of(Begin *begin, PyObject *route)
{
    PyObject *resource = ASK(route, resource);
    if (resource == NULL || resource == Py_None)
        return resource;
    PyObject *template = ASK(resource, canonical);
    Py_DECREF(resource);
    if (template != NULL && !PyUnicode_CheckExact(template))
        Py_CLEAR(template);
    return template;
}

/* Returns (template, names by method) of *route*; (None, {}) where none matched. */
static PyObject *
known_route(Begin *begin, PyObject *route)
{
    PyObject *routes = begin->last.routes;
    PyObject *known = PyDict_GetItemWithError(routes, route);
    if (known != NULL || PyErr_Occurred())
        return Py_XNewRef(known);
    PyObject *template = template_of(begin, route), *names = PyDict_New();
    if (template != NULL && names != NULL)
        known = PyTuple_Pack(2, template, names);
    /* aiohttp makes one of its own for each request that matches none: not to be kept. */
    int kept = known != NULL && template != Py_None;
    if (kept && PyDict_GET_SIZE(routes) >= MOST_ROUTES)
        PyDict_Clear(routes);
    if (kept && PyDict_SetItem(routes, route, known) < 0)
        Py_CLEAR(known);
    Py_XDECREF(template);
    Py_XDECREF(names);
    return known;
}

static PyObject *
name_of(PyObject *known, PyObject *method)
{
    PyObject *template = PyTuple_GET_ITEM(known, 0), *names = PyTuple_GET_ITEM(known, 1);
    if (template == Py_None)
        return Py_NewRef(method);
    PyObject *name = PyDict_GetItemWithError(names, method);
    if (name != NULL || PyErr_Occurred())
        return Py_XNewRef(name);
    name = PyUnicode_FromFormat("%U %U", method, template);
    if (name != NULL && PyDict_SetItem(names, method, name) < 0)
        Py_CLEAR(name);
    return name;
}

int
find_route(Begin *begin, PyObject *request, PyObject *method, PyObject **route,
           PyObject **name)
{
    PyObject *match = ASK(request, match_info);
    PyObject *matched = match == NULL ? NULL : ASK(match, route);
    PyObject *known = matched == NULL ? NULL : known_route(begin, matched);
    if (known != NULL) {
        *route = Py_NewRef(PyTuple_GET_ITEM(known, 0));
        *name = name_of(known, method);
    }
    Py_XDECREF(match);
    Py_XDECREF(matched);
    Py_XDECREF(known);
    return known == NULL || *name == NULL ? -1 : 0;
}
