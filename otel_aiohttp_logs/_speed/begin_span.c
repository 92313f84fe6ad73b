/* The span of a request: OwnTracer._begin() of span/tracer.py. */
#include "begin.h"

PyObject *
filled(PyObject *type, const Py_ssize_t *at, PyObject **values, int count)
{
    PyObject *no_args = PyTuple_New(0), *made = NULL;
    if (no_args != NULL)
        made = PyBaseObject_Type.tp_new((PyTypeObject *)type, no_args, NULL);
    Py_XDECREF(no_args);
    for (int i = 0; i < count; i++) {
        if (made != NULL)
            *slot(made, at[i]) = values[i];
        else
            Py_XDECREF(values[i]);
    }
    return made;
}

void
span_free(Span *span)
{
    Py_XDECREF(span->name);
    Py_XDECREF(span->start_time);
    Py_XDECREF(span->attributes);
    Py_XDECREF(span->context);
    Py_XDECREF(span->parent);
    Py_XDECREF(span->asked);
    Py_XDECREF(span->trace_id);
    Py_XDECREF(span->span_id);
    Py_XDECREF(span->state);
    Py_XDECREF(span->protocol);
    Py_XDECREF(span->peer);
}

/* Finds the caller's span: parent_of() returns (parent, asked, flags), see tracer.py. */
int
find_parent(Begin *begin, Span *span)
{
    if (PyDict_GET_SIZE(span->context) == 0) {
        span->parent = Py_NewRef(Py_None);
        span->asked = Py_NewRef(Py_None);
        span->trace_id = random_trace_id(begin->state);
        span->state = Py_NewRef(IT(no_state));
        span->flags = 2;
        return span->trace_id == NULL ? -1 : 0;
    }
    PyObject *found = PyObject_CallOneArg(IT(parent_of), span->context);
    if (found == NULL || !PyTuple_CheckExact(found) || PyTuple_GET_SIZE(found) != 5) {
        Py_XDECREF(found);
        return -1;
    }
    span->parent = Py_NewRef(PyTuple_GET_ITEM(found, 0));
    span->asked = Py_NewRef(PyTuple_GET_ITEM(found, 1));
    span->trace_id = Py_NewRef(PyTuple_GET_ITEM(found, 2));
    span->state = Py_NewRef(PyTuple_GET_ITEM(found, 3));
    span->flags = PyLong_AsLong(PyTuple_GET_ITEM(found, 4));
    Py_DECREF(found);
    return span->flags == -1 ? -1 : 0;
}

/* Of the pipeline that is behind the provider now: 0, or -1 if its spans aren't ours. */
static int
know_pipeline(Begin *begin, PyObject *pipeline)
{
    Remembered *last = &begin->last;
    PyObject *kind = ASK(pipeline, span), *sampler = ASK(pipeline, sampler);
    PyObject *sink = ASK(pipeline, sink), *wanted = NULL;
    int ours = kind == IT(span_type) && sampler != NULL && sink != NULL;
    if (ours && PyDict_CheckExact(IT(of_roots)))
        wanted = PyDict_GetItemWithError(IT(of_roots), sampler);
    Py_XDECREF(kind);
    if (!ours || PyErr_Occurred()) {
        Py_XDECREF(sampler);
        Py_XDECREF(sink);
        return -1;
    }
    Py_XSETREF(last->pipeline, Py_NewRef(pipeline));
    Py_XSETREF(last->sampler, sampler);
    Py_XSETREF(last->sink, sink);
    Py_XSETREF(last->wanted, Py_NewRef(wanted == NULL ? Py_None : wanted));
    return 0;
}

int
is_wanted(Begin *begin, Span *span)
{
    Remembered *last = &begin->last;
    PyObject *pipeline = ASK(IT(provider), pipeline);
    int known = pipeline != NULL && pipeline != Py_None &&
                (pipeline == last->pipeline || know_pipeline(begin, pipeline) == 0);
    Py_XDECREF(pipeline);
    if (!known)
        return -1;
    if (span->asked == Py_None && last->wanted != Py_None)
        return last->wanted == Py_True;
    PyObject *both[] = {span->asked, span->trace_id};
    PyObject *sampler = Py_NewRef(last->sampler); /* which another thread may replace */
    PyObject *answer = PyObject_Vectorcall(sampler, both, 2, NULL);
    Py_DECREF(sampler);
    int wanted = answer == NULL ? -1 : answer == Py_True;
    Py_XDECREF(answer);
    return wanted;
}

static PyObject *
recording_span(Begin *begin, Span *span, PyObject *request_id)
{
    PyObject *flags = PyLong_FromLong(span->flags | 1);
    PyObject *attributes = PyDict_Copy(span->attributes);
    span->span_id = random_span_id(begin->state);
    if (flags == NULL || attributes == NULL || span->span_id == NULL ||
        PyDict_SetItem(attributes, IT(id_name), request_id) < 0) {
        Py_XDECREF(flags);
        Py_XDECREF(attributes);
        return NULL;
    }
    PyObject *values[] = {
        [SPAN__context] = Py_NewRef(Py_None),
        [SPAN__dropped] = Py_NewRef(IT(none_dropped)),
        [SPAN__events] = Py_NewRef(begin->empty),
        [SPAN__lenient] = Py_NewRef(IT(lenient)),
        [SPAN__links] = Py_NewRef(begin->empty),
        [SPAN__sink] = Py_NewRef(begin->last.sink),
        [SPAN__status] = Py_NewRef(IT(unset)),
        [SPAN_attributes] = attributes,
        [SPAN_end_time] = Py_NewRef(Py_None),
        [SPAN_flags] = flags,
        [SPAN_kind] = Py_NewRef(IT(kind)),
        [SPAN_name] = Py_NewRef(span->name),
        [SPAN_parent] = Py_NewRef(span->parent),
        [SPAN_scope] = Py_NewRef(IT(scope)),
        [SPAN_span_id] = Py_NewRef(span->span_id),
        [SPAN_start_time] = Py_NewRef(span->start_time),
        [SPAN_trace_id] = Py_NewRef(span->trace_id),
        [SPAN_trace_state] = Py_NewRef(span->state),
    };
    return filled(IT(span_type), begin->span_at, values, SPAN_COUNT);
}

/* unrecorded() of span/tracer.py */
static PyObject *
unrecorded_span(Begin *begin, Span *span)
{
    PyObject *flags = PyLong_FromLong(span->flags);
    span->span_id = random_span_id(begin->state);
    if (flags == NULL || span->span_id == NULL) {
        Py_XDECREF(flags);
        return NULL;
    }
    PyObject *values[] = {
        [UNRECORDED_flags] = flags,
        [UNRECORDED_span_id] = Py_NewRef(span->span_id),
        [UNRECORDED_trace_id] = Py_NewRef(span->trace_id),
        [UNRECORDED_trace_state] = Py_NewRef(span->state),
    };
    return filled(IT(unrecorded_type), begin->unrecorded_at, values, UNRECORDED_COUNT);
}

PyObject *
own_span(Begin *begin, Span *span, PyObject *request_id)
{
    return span->wanted ? recording_span(begin, span, request_id)
                        : unrecorded_span(begin, span);
}
