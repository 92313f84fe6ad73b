/*
 * What the parts share in which a request begins: see begin.c.
 */
#ifndef OTEL_AIOHTTP_LOGS_BEGIN_H
#define OTEL_AIOHTTP_LOGS_BEGIN_H

#include "speed.h"

/* What it's made with, by name. Those after AFTER are the names of attributes. */
#define BEGIN_THINGS(X)                                                                  \
    X(served_type) X(span_type) X(scope_type) X(context_type) X(instruments) X(tracer)   \
    X(provider) X(scope) X(kind) X(no_state) X(unset) X(none_dropped) X(lenient)         \
    X(span_key) X(request_key) X(context_var) X(extract) X(id_for) X(parent_of)          \
    X(trace_bits) X(span_bits) X(time_ns) X(perf_counter) X(methods) X(attributes_of)    \
    X(server_address) X(version_of) X(unrecorded)                                        \
    X(method_name) X(path_name) X(scheme_name) X(version_name) X(route_name)             \
    X(client_name) X(agent_name) X(id_name)

/* What is asked for by attribute. */
#define BEGIN_NAMES(X)                                                                   \
    X(canonical) X(get) X(headers) X(match_info) X(method) X(pipeline) X(raw_path)       \
    X(raw_query_string) X(rel_url) X(remote) X(resource) X(route) X(sampler) X(scheme)   \
    X(sink) X(span) X(version) X(Host)

/* The slots of ServedRequest, of RecordingSpan and of RequestScope, and their values. */
#define SERVED_SLOTS(X)                                                                  \
    X(_attributes) X(_cancelled) X(_error) X(_instruments) X(_messages) X(_metrics)      \
    X(_request) X(_responded) X(_response) X(_span) X(_started) X(_theirs) X(context)    \
    X(request_id) X(scope)
#define SPAN_SLOTS(X)                                                                    \
    X(_context) X(_dropped) X(_events) X(_lenient) X(_links) X(_sink) X(_status)         \
    X(attributes) X(end_time) X(flags) X(kind) X(name) X(parent) X(scope) X(span_id)     \
    X(start_time) X(trace_id) X(trace_state)
#define SCOPE_SLOTS(X) X(bound) X(ended) X(known) X(request_id) X(span) X(tracer)

#define B_INDEX(name) B_##name,
#define A_INDEX(name) A_##name,
#define SERVED_INDEX(name) SERVED_##name,
#define SPAN_INDEX(name) SPAN_##name,
#define SCOPE_INDEX(name) SCOPE_##name,
enum { BEGIN_THINGS(B_INDEX) B_COUNT };
enum { BEGIN_NAMES(A_INDEX) A_COUNT };
enum { SERVED_SLOTS(SERVED_INDEX) SERVED_COUNT };
enum { SPAN_SLOTS(SPAN_INDEX) SPAN_COUNT };
enum { SCOPE_SLOTS(SCOPE_INDEX) SCOPE_COUNT };

typedef struct {
    PyObject_HEAD
    PyObject *things[B_COUNT];
    PyObject *names[A_COUNT];
    PyObject *agent_header;
    PyObject *empty, *false;
    PyObject *canonical; /* of each resource, which is always the same */
    Py_ssize_t served_at[SERVED_COUNT], span_at[SPAN_COUNT], scope_at[SCOPE_COUNT];
} Begin;

#define IT(name) (begin->things[B_##name])
#define ASK(object, name) PyObject_GetAttr(object, begin->names[A_##name])

/* --- begin_attributes.c --- */

PyObject *route_of(Begin *begin, PyObject *request);
PyObject *attributes_of(Begin *begin, PyObject *request, PyObject *headers,
                        PyObject *method, PyObject *route);

/* --- begin_span.c --- */

typedef struct {
    PyObject *name, *start_time, *attributes, *context;
    PyObject *parent, *asked, *trace_id, *span_id, *state, *sink;
    long flags;
    int wanted;
} Span;

void span_free(Span *span);
int find_parent(Begin *begin, Span *span);
/* 1 if the pipeline wants the span, which goes to span->sink then; 0 if it doesn't. */
int is_wanted(Begin *begin, Span *span);
PyObject *recording_span(Begin *begin, Span *span, PyObject *request_id);
/* Returns a new instance, its slots filled; the references in *values* are taken over. */
PyObject *filled(PyObject *type, const Py_ssize_t *at, PyObject **values, int count);

/* --- begin_type.c --- */

PyObject *begin_call(PyObject *self, PyObject *args, PyObject *keywords);

#endif
