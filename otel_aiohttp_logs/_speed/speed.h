/*
 * What the parts of the extension share.
 *
 * Each function here has a twin in Python that says what is right. C does the ordinary: exact
 * built-in types in their common shape. Whatever is unusual is left to the twin, so a
 * function that is asked to write something answers -1 as soon as it meets the like, with
 * or without an exception set, and writes nothing that counts.
 */
#ifndef OTEL_AIOHTTP_LOGS_SPEED_H
#define OTEL_AIOHTTP_LOGS_SPEED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <stdint.h>
#include <string.h>

/* --- buffer.c: bytes that grow at their end --- */

typedef struct {
    unsigned char *data;
    size_t size;
    size_t room;
} Buffer;

int buffer_grow(Buffer *buffer, size_t more);
void buffer_free(Buffer *buffer);

static inline int
buffer_reserve(Buffer *buffer, size_t more)
{
    return buffer->room - buffer->size >= more ? 0 : buffer_grow(buffer, more);
}

static inline int
put_byte(Buffer *buffer, unsigned char byte)
{
    if (buffer_reserve(buffer, 1) < 0)
        return -1;
    buffer->data[buffer->size++] = byte;
    return 0;
}

static inline int
put_bytes(Buffer *buffer, const void *bytes, size_t size)
{
    if (buffer_reserve(buffer, size) < 0)
        return -1;
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    return 0;
}

/* --- wire.c: protocol buffers' wire format --- */

int put_varint(Buffer *buffer, uint64_t number);
/* A number in *size* bytes, the lowest first. */
int put_fixed(Buffer *buffer, uint64_t number, int size);
/* Between the two stands the content of a field whose length isn't known yet. */
int open_field(Buffer *buffer, unsigned char tag, size_t *start);
int close_field(Buffer *buffer, size_t start);

/* The following refuse an object that is not exactly an int or a str. */
int as_uint64(PyObject *number, uint64_t *result);
int as_bytes(PyObject *number, unsigned char *to, int size);
int put_id(Buffer *buffer, PyObject *number, int size);
int put_number(Buffer *buffer, unsigned char tag, PyObject *number);
int put_text(Buffer *buffer, unsigned char tag, PyObject *text);
/* Returns NULL for what isn't exactly a str, or has no form in UTF-8. */
const char *utf8_of(PyObject *text, Py_ssize_t *size);

/* --- logs.c, spans.c: one record --- */

/* What a log record consists of; all of the objects are borrowed. */
typedef struct {
    uint64_t time, number;
    PyObject *severity, *logger, *body, *attributes, *trace, *span, *flags, *event;
    /* One more attribute, and its value, which is NULL for none. */
    PyObject *request_id_name, *request_id;
} LogParts;

/* What a span consists of, the same way; *parent* is NULL for none. */
typedef struct {
    uint64_t flags, kind, start, end;
    PyObject *trace, *span, *parent, *state, *name, *attributes, *events, *links, *scope;
    PyObject *attributes_lost, *events_lost, *links_lost, *status, *status_text;
} SpanParts;

typedef struct {
    PyTypeObject *event, *link, *scope;
} Kinds;

int put_log_parts(Buffer *buffer, const LogParts *of);
int put_span_parts(Buffer *buffer, const SpanParts *of, const Kinds *kinds);

/* --- values.c: attributes --- */

int put_attributes(Buffer *buffer, unsigned char tag, PyObject *attributes);
int put_attribute(Buffer *buffer, unsigned char tag, PyObject *key, PyObject *value);

/* --- groups.c: records by logger or scope --- */

/* What is known of the records of one kind, and the buffer of the group being written. */
typedef struct {
    PyObject *new_group;
    PyObject *groups;
    PyObject *key;
    PyObject *group;
    PyTypeObject *packed;
    Buffer buffer;
} Run;

typedef int (*PutRecord)(Buffer *buffer, PyObject *record, void *kinds);

typedef struct {
    PutRecord put;
    PyTypeObject *kind;
    Py_ssize_t key_at;
    void *kinds;
} RecordKind;

PyObject *group_records(PyObject *module, const RecordKind *kind, PyObject *const *args);

/* --- state.c: what the module was given to work with --- */

/* Objects of Python's that are asked for by name, see configure(). */
#define THINGS(X)                                                                        \
    X(BOUND) X(BOUND_VAR) X(CONTEXT_VAR) X(EVENT) X(FLAT_LOG)      \
    X(GET_LEVEL_NAME) X(IDS_IN) X(LEVEL_NAMES) X(LOGGING) X(MAPPING)                    \
    X(LOGGER) X(NAME_OF) X(NOT_EXTRA) X(NO_IDS) X(NO_NAME) X(NO_NUMBERS) X(NUMBERS_OF) X(ODD_NAMES) X(OS) X(RECORD)         \
    X(REQUEST) X(SAID) X(SCOPE) X(SPAN) X(SPLIT) X(START) X(SUPPRESSED) X(TEMPLATE)      \
    X(THREADING) X(TIME) X(EVENT_NAME) X(KNOWN_NAMES) X(PATHS) X(ID_NAMES) X(IDS) \
    X(FORM_NUMBER) X(KNOWN_FORMS) X(OWN_ROOTS) X(PLAIN_IN) X(UTC) X(EXCEPTION) X(EXCEPTION_NAMES) \
    X(CLOCK) X(CLOCK_NS) X(SYS) X(CURRENT_THREAD) X(GET_IDENT) X(GETPID) X(THREADS) X(THREAD_NAME)

/* Names that are looked up. */
#define NAMES(X)                                                                         \
    X(args) X(created) X(current_process) X(current_task) X(current_thread) X(exc_info)  \
    X(exc_text) X(filename) X(funcName) X(get_ident) X(get_name) X(getLevelName)         \
    X(getpid) X(levelname) X(levelno) X(lineno) X(logAsyncioTasks) X(logMultiprocessing) \
    X(logProcesses) X(logThreads) X(module) X(msecs) X(msg) X(name) X(pathname)          \
    X(process) X(processName) X(relativeCreated) X(stack_info) X(taskName) X(thread)     \
    X(threadName) X(time) X(time_ns) X(asyncio) X(multiprocessing) X(outlets) X(filters) \
    X(_access_lines) X(_ours) X(formatter) X(handle) X(handleError) X(handlers) X(loggerDict) X(manager) X(parent) X(propagate) X(root) X(request_id) X(MainProcess) X(emit) X(message) \
    X(int) X(isoformat) X(_name) X(acquire) X(flush) X(lock) X(lose) X(release) X(stdout) X(write) \
    X(writes_access_lines)

#define THING_INDEX(name) T_##name,
#define NAME_INDEX(name) N_##name,
enum { THINGS(THING_INDEX) THING_COUNT };
enum { NAMES(NAME_INDEX) NAME_COUNT };

#define MOMENT_SIZE 34

/* The last second that a line was written in; 0 is none, and no line is so old. */
typedef struct {
    int64_t second;
    char text[MOMENT_SIZE];
} Moment;

/* Those whom a record is from: thread, its name, the process' name, and its id. */
enum { THREAD, THREAD_IS, PROCESS_IS, PROCESS, WHO_COUNT };

typedef struct {
    PyObject *things[THING_COUNT];
    PyObject *names[NAME_COUNT];
    /* Where the slots of a record and of a request are. */
    Py_ssize_t context_at, ids_at, bound_at, said_at;
    Py_ssize_t span_at, ended_at, known_at, request_id_at;
    /* Of a recording span: its class, and where its slots are; see recording.c. */
    PyTypeObject *recording;
    PyObject *unset, *none_dropped, *span_kinds, *empty_states;
    PyTypeObject *span_context;
    Kinds kinds;
    Py_ssize_t slots[24];
    /* Of records that are encoded as they come; see packed.c. */
    PyTypeObject *packed;
    Buffer packing;
    uint64_t random[4];
    Moment moment;
    PyObject *who[WHO_COUNT]; /* as the template has them */
    /* Whether the modules that a record asks were as Python made them, and when. */
    int untouched;
    uint64_t versions[4];
} State;

static inline State *
state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

static inline PyObject **
slot(PyObject *object, Py_ssize_t at)
{
    return (PyObject **)((char *)object + at);
}

#define THING(state, name) ((state)->things[T_##name])
#define NAME(state, name) ((state)->names[N_##name])

int state_traverse(PyObject *module, visitproc visit, void *arg);
int state_clear(PyObject *module);
int state_make_names(PyObject *module);
PyObject *configure(PyObject *module, PyObject *args, PyObject *given);

/* --- when.c, who.c: parts of a record --- */

PyObject *module_item(State *state, int thing, PyObject *name);
PyObject *ask(State *state, int thing, PyObject *name);
/* 1 if nobody has changed what a record asks for; 0 may be a yes, too. */
int is_untouched(State *state);
/* Takes over the reference to the value. */
int set_item(PyObject *values, PyObject *name, PyObject *owned);
int put_when(State *state, PyObject *values);
int seconds_now(State *state, double *seconds);
int watch_forks(PyObject *module);
/* A blank record's values, with what says who made it; but for the task, see put_task(). */
PyObject *values_here(State *state);
int put_task(State *state, PyObject *values);

/* --- where.c --- */

#define UNUSUAL 1

/* What is known of the request that a record belongs to. */
typedef struct {
    PyObject *context;
    PyObject *scope; /* borrowed from it; NULL if the record belongs to none */
    PyObject *ids;
    PyObject *numbers;
    int ids_only; /* a line has no use for the numbers */
} Where;

int is_record(State *state, PyObject *record);
int unless_fatal(void);
int look_around(State *state, PyObject *context, PyObject **ids, Where *where);
int find_out_where(State *state, PyObject *record, Where *where);
void where_free(Where *where);

/* --- packed.c: records that are encoded where they are made --- */

typedef struct {
    PyObject_VAR_HEAD
    PyObject *key; /* of its group: a logger's name, or the scope of a span */
    unsigned char bytes[];
} Packed;

int add_packed(PyObject *module);
/*
 * The two encode a record and queue it: 1 if it is in the queue, or refused by it, 0 where
 * it has to wait as a flat record, -1 for an exception of the queue's.
 */
int queue_log(State *state, PyObject *waiting, const LogParts *of);
int queue_span_parts(State *state, PyObject *waiting, const SpanParts *of);

/* --- recording.c --- */

/*
 * Encodes *span*, which ends at *end_time*, and puts it into its sink; the answers are those
 * of queue_log(). With 0 the span is for RecordingSpan._flat(). Its end_time isn't set here.
 */
int queue_span(State *state, PyObject *span, uint64_t end_time);

/* Its ids as text and as numbers, where *span* is one of ours; UNUSUAL where it isn't. */
int ids_of_span(State *state, PyObject *span, PyObject *scope, Where *where);

/* --- write.c --- */

/* Writes a whole line to sys.stdout as *handler* does, and counts there what is lost. */
int write_text(State *state, PyObject *handler, PyObject *line);

/* --- stdout.c --- */

/* 1 if *handler* writes JSON, and no other but ours gets the records of the logger *name*. */
int writes_json_alone(State *state, PyObject *handler, PyObject *name, PyObject *formatter);

/* --- plain.c, forms.c, isoformat.c: values --- */

#define MOST_DEPTH 8

/* What a record may still hold, and the containers that are being copied right now. */
typedef struct {
    Py_ssize_t fields, items, size;
    PyObject *parents[MOST_DEPTH]; /* borrowed */
    int depth;
} Room;

void room_init(Room *room);
int is_plain_value(PyObject *value);
/* For what is_plain_value() isn't true of. Returns NULL with an exception only. */
PyObject *plain_copy(State *state, PyObject *value, Room *room, Py_ssize_t name_room);
/* Returns a text or a number, NULL for what is left to the twin. */
PyObject *form_of(State *state, PyObject *value);
int is_datetime(PyObject *value);
PyObject *isoformat(State *state, PyObject *value);
/* 16 bytes in the text form of RFC 9562. */
PyObject *guid_text(const unsigned char *bytes);
/* --- ids.c --- */

PyObject *random_trace_id(State *state);
PyObject *random_span_id(State *state);
PyObject *random_guid(State *state);

/* --- message.c --- */

#define LONGEST_MESSAGE (256 * 1024)

int is_tidy(PyObject *text, Py_ssize_t longest);
/* NULL, with or without an exception, is what leaves the record to the twin. */
PyObject *message_of(State *state, PyObject *values);

/* --- said.c --- */

PyObject *tuple_of(PyObject *kind, Py_ssize_t size);
PyObject *say(State *state, const Where *where, PyObject *record, PyObject *values);

/* --- raised.c --- */

int raised_of(State *state, PyObject *record, PyObject *values, PyObject **raised);
PyObject *attributes_with(State *state, const LogParts *of, PyObject *raised);

/* --- log_parts.c --- */

long severity(long level);
int time_ns(double created, uint64_t *time);
/* Says which request a record belongs to. */
void say_where(State *state, const Where *where, LogParts *of);
/* What a record with these *values* consists of, but for its body and attributes. */
int find_parts(State *state, const Where *where, PyObject *values, LogParts *of);

/* --- pass_on.c --- */

PyObject *only_outlet(State *state, PyObject *handler);
/* 1 if the records that *handler* gets go nowhere. */
int has_no_outlet(State *state, PyObject *handler);
int has_no_filters(State *state, PyObject *handler);
/* 1 if the handler has no filters, and the record is one of ours and of no odd logger. */
int is_for_us(State *state, PyObject *handler, PyObject *record);

/* --- quote.c, number.c: each part as JSON --- */

int put_quoted(Buffer *line, PyObject *text);
int put_int(Buffer *line, PyObject *value);
int put_float(Buffer *line, PyObject *value);

/* --- moment.c, json.c --- */

/* All of them borrowed. */
typedef struct {
    double created;
    PyObject *level, *logger, *message, *fields, *ids;
    int is_event;
    PyObject *raised; /* NULL if there's none */
} Line;

int put_moment(Moment *moment, Buffer *line, double created);
int put_parts_of_line(State *state, Buffer *line, const Line *of);

int put_line(State *state, Buffer *line, PyObject *record, PyObject *words, PyObject *ids);

/* --- type.c --- */

int add_type(PyObject *module, PyType_Spec *spec);
void clear_and_free(PyObject *self);

/* --- the types of the module --- */

int add_begin(PyObject *module);
int add_responding(PyObject *module);
int add_ending(PyObject *module);

/* --- the functions of the module --- */

PyObject *group_logs(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *group_spans(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *make_record(PyObject *module, PyObject *const *args, Py_ssize_t number,
                      PyObject *keywords);
PyObject *make_event(PyObject *module, PyObject *const *args, Py_ssize_t number,
                     PyObject *keywords);
PyObject *said(PyObject *module, PyObject *record);
PyObject *plain(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *write_event(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *know_spans(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *new_span(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *queue_ended(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *flat_span(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *seed(PyObject *module, PyObject *bytes);
PyObject *new_trace_id(PyObject *module, PyObject *nothing);
PyObject *new_span_id(PyObject *module, PyObject *nothing);
PyObject *new_request_id(PyObject *module, PyObject *nothing);
int find_slot(PyObject *kind, const char *name, Py_ssize_t *at);
PyObject *pass_on(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *json_line(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *show(PyObject *module, PyObject *const *args, Py_ssize_t number);

/* --- waiting.c --- */

int add_waiting(PyObject *module);
/* The queue, borrowed, that a function puts records into: put_log(), put(); else NULL. */
PyObject *waiting_of_outlet(PyObject *outlet);
PyObject *waiting_of_sink(PyObject *sink);
int waiting_has_room(PyObject *waiting);
int waiting_refuse(PyObject *waiting);
int waiting_append(PyObject *waiting, PyObject *record, Py_ssize_t weight);

#endif
