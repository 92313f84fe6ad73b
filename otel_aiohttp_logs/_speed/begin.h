/*
 * What the parts share in which a request is served: it begins (begin*.c), its response is
 * about to be sent (responding.c), it ends (ending.c).
 */
#ifndef OTEL_AIOHTTP_LOGS_BEGIN_H
#define OTEL_AIOHTTP_LOGS_BEGIN_H

#include "speed.h"

/* What it's made with, by name. */
#define BEGIN_THINGS(X)                                                                  \
    X(served_type) X(span_type) X(scope_type) X(unrecorded_type) X(context_type)         \
    X(websocket_type) X(request_type) X(instruments) X(fallback) X(tracer) X(provider)   \
    X(scope) X(kind) X(no_state) X(unset) X(none_dropped) X(lenient) X(most)             \
    X(span_key) X(request_key) X(context_var) X(extract) X(extracts) X(nothing)          \
    X(id_for) X(makes_ids) X(parent_of) X(of_roots) X(time) X(time_ns) X(perf_counter)   \
    X(methods) X(attributes_of) X(server_address) X(version_of) X(current_task)          \
    X(running_loop) X(served_key) X(agent_header) X(host_header) X(response_header)       \
    X(ending_type) X(event_wanted) X(write_event) X(info) X(ok) X(method_name)           \
    X(path_name)                                                                         \
    X(scheme_name) X(version_name) X(route_name) X(client_name) X(agent_name)            \
    X(id_name) X(status_name) X(duration_name) X(first_byte_name) X(size_name)           \
    X(outcome_name)

/* What is asked for by attribute. */
#define BEGIN_NAMES(X)                                                                   \
    X(_end_event) X(_end_span) X(add_done_callback) X(body_length) X(canonical)          \
    X(finished) X(get) X(headers) X(match_info) X(method) X(pipeline) X(protocol)        \
    X(raw_path) X(raw_query_string) X(rel_url) X(remote) X(resource) X(result) X(route)  \
    X(sampler) X(scheme) X(setdefault) X(sink) X(span) X(status) X(transport) X(version)

/* The slots of what is made here, and their values. */
#define SERVED_SLOTS(X)                                                                  \
    X(_attributes) X(_cancelled) X(_error) X(_instruments) X(_messages) X(_metrics)      \
    X(_request) X(_responded) X(_response) X(_span) X(_started) X(_theirs) X(context)    \
    X(request_id) X(scope)
#define SPAN_SLOTS(X)                                                                    \
    X(_context) X(_dropped) X(_events) X(_lenient) X(_links) X(_sink) X(_status)         \
    X(attributes) X(end_time) X(flags) X(kind) X(name) X(parent) X(scope) X(span_id)     \
    X(start_time) X(trace_id) X(trace_state)
#define SCOPE_SLOTS(X) X(bound) X(ended) X(known) X(request_id) X(span) X(tracer)
#define UNRECORDED_SLOTS(X) X(flags) X(span_id) X(trace_id) X(trace_state)

#define B_INDEX(name) B_##name,
#define A_INDEX(name) A_##name,
#define SERVED_INDEX(name) SERVED_##name,
#define SPAN_INDEX(name) SPAN_##name,
#define SCOPE_INDEX(name) SCOPE_##name,
#define UNRECORDED_INDEX(name) UNRECORDED_##name,
enum { BEGIN_THINGS(B_INDEX) B_COUNT };
enum { BEGIN_NAMES(A_INDEX) A_COUNT };
enum { SERVED_SLOTS(SERVED_INDEX) SERVED_COUNT };
enum { SPAN_SLOTS(SPAN_INDEX) SPAN_COUNT };
enum { SCOPE_SLOTS(SCOPE_INDEX) SCOPE_COUNT };
enum { UNRECORDED_SLOTS(UNRECORDED_INDEX) UNRECORDED_COUNT };

/* What is the same for nearly all requests, and was worked out for an earlier one. */
typedef struct {
    PyObject *pipeline, *sink;         /* of the provider, if its spans are ours */
    PyObject *wanted;                  /* of roots: a bool, None if the sampler decides */
    PyObject *sampler;
    PyObject *peers;                   /* by connection: (scheme, remote address, loop) */
    PyObject *ending;                  /* the one of the last request, while it's served */
    PyObject *host, *address;          /* the header, and its attributes */
    PyObject *version, *version_text;
    PyObject *attributes;              /* of the last request: a template for the next */
    PyObject *routes;                  /* by route: (template, {method: name of span}) */
} Remembered;

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *things[B_COUNT];
    PyObject *names[A_COUNT];
    PyObject *empty;
    Remembered last;
    State *state;
    int reads_clocks; /* the system's may be asked, since nobody replaced Python's */
    Py_ssize_t served_at[SERVED_COUNT], span_at[SPAN_COUNT], scope_at[SCOPE_COUNT];
    Py_ssize_t unrecorded_at[UNRECORDED_COUNT];
} Begin;

#define IT(name) (begin->things[B_##name])
#define ASK(object, name) PyObject_GetAttr(object, begin->names[A_##name])
#define OF_SERVED(served, name) (*slot(served, begin->served_at[SERVED_##name]))
#define OF_SPAN(span, name) (*slot(span, begin->span_at[SPAN_##name]))
#define OF_SCOPE(scope, name) (*slot(scope, begin->scope_at[SCOPE_##name]))

/* --- begin_route.c --- */

/* The template of the request's route (None if there's none), and the name of its span. */
int find_route(Begin *begin, PyObject *request, PyObject *method, PyObject **route,
               PyObject **name);

/* --- begin_peer.c --- */

/* request.protocol, NULL without an exception if the request's class isn't aiohttp's. */
PyObject *protocol_of(Begin *begin, PyObject *request);
/* request.transport, by its *protocol* if there's one: that takes no call of Python's. */
PyObject *transport_of(Begin *begin, PyObject *request, PyObject *protocol);
/* Who is at the other end, how, and who serves it: (scheme, remote address, loop). */
PyObject *peer_of(Begin *begin, PyObject *request, PyObject *protocol);

/* --- begin_attributes.c --- */

PyObject *attributes_of(Begin *begin, PyObject *request, PyObject *peer, PyObject *route);
/* Those of a request that isn't sampled are worked out when they are asked for. */
int know_attributes(Begin *begin, PyObject *served);

/* --- begin_span.c --- */

typedef struct {
    PyObject *name, *start_time, *attributes, *context;
    PyObject *parent, *asked, *trace_id, *span_id, *state;
    PyObject *protocol, *peer;
    long flags;
    int wanted;
} Span;

void span_free(Span *span);
int find_parent(Begin *begin, Span *span);
/* 1 if the pipeline wants the span, 0 if it doesn't. */
int is_wanted(Begin *begin, Span *span);
PyObject *own_span(Begin *begin, Span *span, PyObject *request_id);
/* Returns a new instance, its slots filled; the references in *values* are taken over. */
PyObject *filled(PyObject *type, const Py_ssize_t *at, PyObject **values, int count);

/* --- begin_clock.c --- */

PyObject *clock_ns(Begin *begin);
/* Seconds of a clock that only goes forwards, as a float. */
PyObject *clock_now(Begin *begin);
/* Seconds since the epoch, as a float. */
PyObject *clock_time(Begin *begin);

/* --- begin_type.c --- */

PyObject *begin_call(PyObject *self, PyObject *const *args, size_t number,
                     PyObject *keywords);
int is_begin(PyObject *object);

/* --- ending_event.c --- */

/* 0 if the event is written, or nobody wants it; UNUSUAL if it's left to the twin. */
int end_event(Begin *begin, PyObject *served, PyObject *status);

/* --- ending.c --- */

/* What is called when the task of a request is done. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    Begin *begin;
    PyObject *served;
    PyObject *protocol; /* or NULL */
} Ending;

PyObject *new_ending(Begin *begin, PyObject *served, PyObject *protocol);

#endif
