/* The attributes of a request's span: request_attributes() of request/attributes.py. */
#include "begin.h"

#define MOST_CHARACTERS 2048

static int
put_owned(PyObject *dict, PyObject *key, PyObject *value)
{
    int failed = value == NULL ? -1 : PyDict_SetItem(dict, key, value);
    Py_XDECREF(value);
    return failed;
}

/* A caller's text that is short enough to stand there whole. */
static int
is_short(PyObject *text)
{
    return text != NULL && PyUnicode_Check(text) &&
           PyUnicode_GET_LENGTH(text) <= MOST_CHARACTERS;
}

static int
put_url(Begin *begin, PyObject *attributes, PyObject *request)
{
    PyObject *url = ASK(request, rel_url);
    if (url == NULL)
        return -1;
    PyObject *path = ASK(url, raw_path), *query = ASK(url, raw_query_string);
    int failed = -1;
    if (is_short(path) && query != NULL && PyUnicode_Check(query) &&
        PyUnicode_GET_LENGTH(query) == 0)
        failed = PyDict_SetItem(attributes, IT(path_name), path);
    Py_XDECREF(path);
    Py_XDECREF(query);
    Py_DECREF(url);
    return failed;
}

static PyObject *
header(Begin *begin, PyObject *headers, PyObject *name)
{
    return PyObject_CallMethodOneArg(headers, begin->names[A_get], name);
}

static int
put_agent(Begin *begin, PyObject *attributes, PyObject *headers)
{
    PyObject *agent = header(begin, headers, begin->agent_header);
    int failed = agent == NULL ? -1 : 0;
    if (agent != NULL && agent != Py_None) {
        if (!is_short(agent))
            failed = -1;
        else if (PyUnicode_GET_LENGTH(agent) > 0)
            failed = PyDict_SetItem(attributes, IT(agent_name), agent);
    }
    Py_XDECREF(agent);
    return failed;
}

static int
put_host(Begin *begin, PyObject *attributes, PyObject *headers)
{
    PyObject *host = header(begin, headers, begin->names[A_Host]);
    int failed = host == NULL ? -1 : 0;
    if (host != NULL && host != Py_None && PyObject_IsTrue(host)) {
        PyObject *address = PyObject_CallOneArg(IT(server_address), host);
        failed = address == NULL ? -1 : PyDict_Update(attributes, address);
        Py_XDECREF(address);
    }
    Py_XDECREF(host);
    return failed;
}

static int
put_remote(Begin *begin, PyObject *attributes, PyObject *request)
{
    PyObject *remote = ASK(request, remote);
    int failed = remote == NULL ? -1 : 0;
    if (remote != NULL && remote != Py_None && PyObject_IsTrue(remote))
        failed = PyDict_SetItem(attributes, IT(client_name), remote);
    Py_XDECREF(remote);
    return failed;
}

static int
put_version(Begin *begin, PyObject *attributes, PyObject *request)
{
    PyObject *version = ASK(request, version);
    if (version == NULL)
        return -1;
    PyObject *text = PyObject_CallOneArg(IT(version_of), version);
    Py_DECREF(version);
    return put_owned(attributes, IT(version_name), text);
}

/* As request_attributes() has them, in its order; NULL where anything is unusual. */
static PyObject *
ordinary_attributes(Begin *begin, PyObject *request, PyObject *headers, PyObject *method,
                    PyObject *route)
{
    if (PySet_Contains(IT(methods), method) != 1)
        return NULL;
    PyObject *attributes = PyDict_New();
    if (attributes == NULL ||
        PyDict_SetItem(attributes, IT(method_name), method) < 0 ||
        put_url(begin, attributes, request) < 0 ||
        put_owned(attributes, IT(scheme_name), ASK(request, scheme)) < 0 ||
        put_version(begin, attributes, request) < 0 ||
        (route != Py_None && PyDict_SetItem(attributes, IT(route_name), route) < 0) ||
        put_remote(begin, attributes, request) < 0 ||
        put_agent(begin, attributes, headers) < 0 ||
        put_host(begin, attributes, headers) < 0)
        Py_CLEAR(attributes);
    return attributes;
}

PyObject *
attributes_of(Begin *begin, PyObject *request, PyObject *headers, PyObject *method,
              PyObject *route)
{
    PyObject *attributes = ordinary_attributes(begin, request, headers, method, route);
    if (attributes != NULL || unless_fatal() < 0)
        return attributes;
    attributes =
        PyObject_CallFunctionObjArgs(IT(attributes_of), request, route, NULL);
    if (attributes != NULL && !PyDict_CheckExact(attributes))
        Py_CLEAR(attributes);
    return attributes;
}

/* The template of the route, None where none matched. */
PyObject *
route_of(Begin *begin, PyObject *request)
{
    PyObject *match = ASK(request, match_info), *route = NULL, *resource = NULL;
    if (match != NULL && (route = ASK(match, route)) != NULL)
        resource = ASK(route, resource);
    Py_XDECREF(match);
    Py_XDECREF(route);
    if (resource == NULL || resource == Py_None)
        return resource;
    PyObject *known = PyDict_GetItemWithError(begin->canonical, resource);
    PyObject *template = known != NULL ? Py_NewRef(known) : ASK(resource, canonical);
    if (known == NULL && template != NULL &&
        PyDict_SetItem(begin->canonical, resource, template) < 0)
        PyErr_Clear(); /* one that can't be remembered is asked again */
    Py_DECREF(resource);
    return template;
}
