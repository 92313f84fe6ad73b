/* Who is at the other end of a request's connection: asked once a connection. */
#include "begin.h"

#define MOST_PEERS 1024

/* A class of the application's may have other answers. */
PyObject *
protocol_of(Begin *begin, PyObject *request)
{
    if (!Py_IS_TYPE(request, (PyTypeObject *)IT(request_type)))
        return NULL;
    PyObject *protocol = ASK(request, protocol);
    if (protocol == NULL)
        PyErr_Clear();
    else if (protocol == Py_None)
        Py_CLEAR(protocol);
    return protocol;
}

PyObject *
transport_of(Begin *begin, PyObject *request, PyObject *protocol)
{
    return protocol != NULL ? ASK(protocol, transport) : ASK(request, transport);
}

static PyObject *
asked_peer(Begin *begin, PyObject *request, PyObject *loop)
{
    PyObject *scheme = ASK(request, scheme), *remote = scheme ? ASK(request, remote) : NULL;
    PyObject *peer = remote == NULL ? NULL : PyTuple_Pack(3, scheme, remote, loop);
    Py_XDECREF(scheme);
    Py_XDECREF(remote);
    return peer;
}

static PyObject *
remembered(Begin *begin, PyObject *request, PyObject *connection)
{
    PyObject *peers = begin->last.peers;
    PyObject *peer = Py_XNewRef(PyDict_GetItemWithError(peers, connection));
    if (peer != NULL || PyErr_Occurred())
        return peer;
    PyObject *loop = PyObject_CallNoArgs(IT(running_loop));
    peer = loop == NULL ? NULL : asked_peer(begin, request, loop);
    Py_XDECREF(loop);
    if (PyDict_GET_SIZE(peers) >= MOST_PEERS)
        PyDict_Clear(peers);
    if (peer != NULL && PyDict_SetItem(peers, connection, peer) < 0)
        Py_CLEAR(peer);
    return peer;
}

/*
 * Remembered by a weak reference to the transport, which is never equal to that of another
 * connection at the same address.
 */
PyObject *
peer_of(Begin *begin, PyObject *request, PyObject *protocol)
{
    PyObject *transport = protocol ? ASK(protocol, transport) : NULL;
    PyObject *connection =
        transport && transport != Py_None ? PyWeakref_NewRef(transport, NULL) : NULL;
    Py_XDECREF(transport);
    if (connection == NULL) {
        PyErr_Clear();
        return asked_peer(begin, request, Py_None);
    }
    PyObject *peer = remembered(begin, request, connection);
    Py_DECREF(connection);
    return peer;
}
