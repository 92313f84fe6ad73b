/*
 * The attributes of a request's span: request_attributes() of request/attributes.py.
 *
 * They have nearly always the same names as those of the request before, whose dict is
 * copied then, and gets the values of this one: that's much less than to build one.
 */
#include "begin.h"

#define MOST_CHARACTERS 2048

/* What is there of a request, each a reference or NULL. */
typedef struct {
    PyObject *method, *path, *scheme, *version, *route, *remote, *agent, *host;
    PyObject *headers;
} Seen;

static void
seen_free(Seen *seen)
{
    Py_XDECREF(seen->method);
    Py_XDECREF(seen->headers);
    Py_XDECREF(seen->path);
    Py_XDECREF(seen->version);
    Py_XDECREF(seen->agent);
    Py_XDECREF(seen->host);
}

/* A caller's text that is short enough to stand there whole. */
static int
is_short(PyObject *text)
{
    return PyUnicode_Check(text) && PyUnicode_GET_LENGTH(text) <= MOST_CHARACTERS;
}

static int
see_path(Begin *begin, PyObject *request, Seen *seen)
{
    PyObject *url = ASK(request, rel_url);
    if (url == NULL)
        return -1;
    seen->path = ASK(url, raw_path);
    PyObject *query = seen->path == NULL ? NULL : ASK(url, raw_query_string);
    Py_DECREF(url);
    int whole = query != NULL && PyUnicode_Check(query) &&
                PyUnicode_GET_LENGTH(query) == 0 && is_short(seen->path);
    Py_XDECREF(query);
    return whole ? 0 : -1;
}

static int
see_version(Begin *begin, PyObject *request, Seen *seen)
{
    Remembered *last = &begin->last;
    PyObject *version = ASK(request, version);
    if (version == NULL)
        return -1;
    if (version != last->version) {
        PyObject *text = PyObject_CallOneArg(IT(version_of), version);
        if (text == NULL) {
            Py_DECREF(version);
            return -1;
        }
        Py_XSETREF(last->version_text, text);
        Py_XSETREF(last->version, Py_NewRef(version));
    }
    Py_DECREF(version);
    seen->version = Py_NewRef(last->version_text);
    return 0;
}

/* A header's text; NULL without an exception if there's none. -1 if it's unusual. */
static int
see_header(Begin *begin, const Seen *seen, PyObject *name, PyObject **text)
{
    PyObject *value = PyObject_CallMethodOneArg(seen->headers, begin->names[A_get], name);
    if (value == NULL)
        return -1;
    if (value == Py_None || (PyUnicode_Check(value) && PyUnicode_GET_LENGTH(value) == 0)) {
        Py_DECREF(value);
        return 0;
    }
    *text = value;
    return is_short(value) ? 0 : -1;
}

static int
see(Begin *begin, PyObject *request, Seen *seen)
{
    seen->method = ASK(request, method);
    seen->headers = seen->method == NULL ? NULL : ASK(request, headers);
    if (seen->headers == NULL || see_path(begin, request, seen) < 0 ||
        see_version(begin, request, seen) < 0 ||
        see_header(begin, seen, IT(agent_header), &seen->agent) < 0)
        return -1;
    return see_header(begin, seen, IT(host_header), &seen->host);
}

static int
same_host(const Remembered *last, PyObject *host)
{
    if (host == NULL || last->host == NULL)
        return host == last->host;
    return PyUnicode_Compare(host, last->host) == 0;
}

static int
put(PyObject *attributes, PyObject *name, PyObject *value)
{
    return value == NULL ? 0 : PyDict_SetItem(attributes, name, value);
}

/* In the order of request_attributes(). */
static PyObject *
built(Begin *begin, const Seen *seen)
{
    Remembered *last = &begin->last;
    if (!same_host(last, seen->host)) {
        PyObject *address = NULL;
        if (seen->host != NULL &&
            (address = PyObject_CallOneArg(IT(server_address), seen->host)) == NULL)
            return NULL;
        Py_XSETREF(last->address, address);
        Py_XSETREF(last->host, Py_XNewRef(seen->host));
    }
    PyObject *attributes = PyDict_New();
    if (attributes == NULL || put(attributes, IT(method_name), seen->method) < 0 ||
        put(attributes, IT(path_name), seen->path) < 0 ||
        put(attributes, IT(scheme_name), seen->scheme) < 0 ||
        put(attributes, IT(version_name), seen->version) < 0 ||
        put(attributes, IT(route_name), seen->route) < 0 ||
        put(attributes, IT(client_name), seen->remote) < 0 ||
        put(attributes, IT(agent_name), seen->agent) < 0 ||
        (seen->host != NULL && PyDict_Update(attributes, last->address) < 0))
        Py_CLEAR(attributes);
    return attributes;
}

static int
is_alike(PyObject *attributes, PyObject *name, PyObject *value)
{
    return PyDict_Contains(attributes, name) == (value != NULL);
}

/* Whether *attributes* have all the names that this request's will have, and no others. */
static int
is_template(Begin *begin, PyObject *attributes, const Seen *seen)
{
    return attributes != NULL && same_host(&begin->last, seen->host) &&
           is_alike(attributes, IT(route_name), seen->route) &&
           is_alike(attributes, IT(client_name), seen->remote) &&
           is_alike(attributes, IT(agent_name), seen->agent);
}

static PyObject *
filled_in(Begin *begin, const Seen *seen)
{
    PyObject *attributes = PyDict_Copy(begin->last.attributes);
    if (attributes == NULL || put(attributes, IT(method_name), seen->method) < 0 ||
        put(attributes, IT(path_name), seen->path) < 0 ||
        put(attributes, IT(scheme_name), seen->scheme) < 0 ||
        put(attributes, IT(version_name), seen->version) < 0 ||
        put(attributes, IT(route_name), seen->route) < 0 ||
        put(attributes, IT(client_name), seen->remote) < 0 ||
        put(attributes, IT(agent_name), seen->agent) < 0)
        Py_CLEAR(attributes);
    return attributes;
}

static PyObject *
ordinary(Begin *begin, PyObject *request, PyObject *peer, PyObject *route)
{
    PyObject *remote = PyTuple_GET_ITEM(peer, 1), *attributes = NULL;
    Seen seen = {
        .route = route == Py_None ? NULL : route,
        .scheme = PyTuple_GET_ITEM(peer, 0),
        .remote = PyObject_IsTrue(remote) == 1 ? remote : NULL,
    };
    if (see(begin, request, &seen) == 0) {
        if (is_template(begin, begin->last.attributes, &seen))
            attributes = filled_in(begin, &seen);
        else if ((attributes = built(begin, &seen)) != NULL)
            Py_XSETREF(begin->last.attributes, PyDict_Copy(attributes));
    }
    seen_free(&seen);
    return attributes;
}

PyObject *
attributes_of(Begin *begin, PyObject *request, PyObject *peer, PyObject *route)
{
    PyObject *attributes = peer == NULL ? NULL : ordinary(begin, request, peer, route);
    if (attributes != NULL || unless_fatal() < 0)
        return attributes;
    attributes = PyObject_CallFunctionObjArgs(IT(attributes_of), request, route, NULL);
    if (attributes != NULL && !PyDict_CheckExact(attributes))
        Py_CLEAR(attributes);
    return attributes;
}

int
know_attributes(Begin *begin, PyObject *served)
{
    if (OF_SERVED(served, _attributes) != Py_None)
        return 0;
    PyObject *request = OF_SERVED(served, _request), *method = ASK(request, method);
    PyObject *route = NULL, *name = NULL, *attributes = NULL;
    if (method != NULL && find_route(begin, request, method, &route, &name) == 0) {
        PyObject *protocol = protocol_of(begin, request);
        PyObject *peer = peer_of(begin, request, protocol);
        if (peer != NULL || unless_fatal() == UNUSUAL)
            attributes = attributes_of(begin, request, peer, route);
        Py_XDECREF(protocol);
        Py_XDECREF(peer);
    }
    Py_XDECREF(method);
    Py_XDECREF(route);
    Py_XDECREF(name);
    if (attributes == NULL)
        return -1;
    Py_XSETREF(OF_SERVED(served, _attributes), attributes);
    return 0;
}
