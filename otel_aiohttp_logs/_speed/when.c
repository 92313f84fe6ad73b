/*
 * When a record was made, as logging.LogRecord.__init__ says it. The functions of Python are
 * asked by their names, so that whatever somebody put in their place is asked here, too: the
 * clock is read here only where time.time() is still the one that would read it.
 */
#include "speed.h"
#include <time.h>

PyObject *
module_item(State *state, int thing, PyObject *name)
{
    PyObject *found = PyDict_GetItemWithError(state->things[thing], name);
    if (found == NULL && !PyErr_Occurred())
        PyErr_SetObject(PyExc_AttributeError, name);
    return found;
}

PyObject *
ask(State *state, int thing, PyObject *name)
{
    PyObject *function = module_item(state, thing, name);
    if (function == NULL)
        return NULL;
    Py_INCREF(function);
    PyObject *answer = PyObject_CallNoArgs(function);
    Py_DECREF(function);
    return answer;
}

int
set_item(PyObject *values, PyObject *name, PyObject *owned)
{
    if (owned == NULL)
        return -1;
    int failed = PyDict_SetItem(values, name, owned);
    Py_DECREF(owned);
    return failed;
}

#if PY_VERSION_HEX < 0x030C0000

static int
is_thing(State *state, int module, PyObject *name, PyObject *thing)
{
    return PyDict_GetItemWithError(state->things[module], name) == thing;
}

static int
look(State *state)
{
    return is_thing(state, T_LOGGING, NAME(state, logThreads), Py_True) &&
           is_thing(state, T_LOGGING, NAME(state, logProcesses), Py_True) &&
           is_thing(state, T_LOGGING, NAME(state, logMultiprocessing), Py_True) &&
           is_thing(state, T_LOGGING, NAME(state, getLevelName),
                    THING(state, GET_LEVEL_NAME)) &&
           is_thing(state, T_THREADING, NAME(state, get_ident), THING(state, GET_IDENT)) &&
           is_thing(state, T_THREADING, NAME(state, current_thread),
                    THING(state, CURRENT_THREAD)) &&
           is_thing(state, T_OS, NAME(state, getpid), THING(state, GETPID)) &&
           is_thing(state, T_TIME, NAME(state, time), THING(state, CLOCK));
}

/* The dict of a module has another version after each change of it, until Python 3.11. */
int
is_untouched(State *state)
{
    static const int modules[] = {T_LOGGING, T_THREADING, T_OS, T_TIME};
    int same = 1;
    for (int i = 0; i < 4; i++) {
        uint64_t version = ((PyDictObject *)state->things[modules[i]])->ma_version_tag;
        same &= version == state->versions[i];
        state->versions[i] = version;
    }
    if (!same)
        state->untouched = look(state);
    return state->untouched;
}

#else

int
is_untouched(State *Py_UNUSED(state))
{
    return 0;
}

#endif

/* Reads the clock, 0 where that has to be asked for. */
static long long
read_clock(State *state, PyObject *name, int original)
{
    if (!is_untouched(state) && module_item(state, T_TIME, name) != state->things[original])
        return 0;
#ifdef HAVE_CLOCK_GETTIME
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 0)
        return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
#endif
    return 0;
}

/* Nanoseconds as time.time() makes seconds of them. */
static double
seconds_of(long long nanoseconds)
{
    if (nanoseconds % 1000000000 == 0)
        return (double)(nanoseconds / 1000000000);
    return (double)nanoseconds / 1e9;
}

int
seconds_now(State *state, double *seconds)
{
    long long now = read_clock(state, NAME(state, time), T_CLOCK);
    if (now > 0) {
        *seconds = seconds_of(now);
        return 0;
    }
    PyErr_Clear();
    PyObject *answer = ask(state, T_TIME, NAME(state, time));
    int failed = answer == NULL || !PyFloat_CheckExact(answer);
    if (!failed)
        *seconds = PyFloat_AS_DOUBLE(answer);
    Py_XDECREF(answer);
    return failed ? -1 : 0;
}

static int
nanoseconds_now(State *state, long long *now)
{
    *now = read_clock(state, NAME(state, time_ns), T_CLOCK_NS);
    if (*now > 0)
        return 0;
    PyErr_Clear();
    PyObject *answer = ask(state, T_TIME, NAME(state, time_ns));
    if (answer != NULL && PyLong_CheckExact(answer))
        *now = PyLong_AsLongLong(answer);
    Py_XDECREF(answer);
    return *now > 0 ? 0 : -1;
}

static int
put_ns(State *state, PyObject *values, long long now)
{
    double created = (double)now / 1e9;
    double msecs = (double)(now % 1000000000 / 1000000);
    long long start = PyLong_AsLongLong(THING(state, START));
    if (start == -1 && PyErr_Occurred())
        return -1;
    /* The division can round up to the next second. */
    if (msecs == 999.0 && (long long)created != now / 1000000000)
        msecs = 0.0;
    if (set_item(values, NAME(state, created), PyFloat_FromDouble(created)) < 0 ||
        set_item(values, NAME(state, msecs), PyFloat_FromDouble(msecs)) < 0)
        return -1;
    double relative = (double)(now - start) / 1e6;
    return set_item(values, NAME(state, relativeCreated), PyFloat_FromDouble(relative));
}

static int
put_seconds(State *state, PyObject *values, double created)
{
    double start = PyFloat_AsDouble(THING(state, START));
    if (!(created >= 0 && created < 1e15))
        return -1;
    double fraction = created - (double)(long long)created;
    double msecs = (double)(long long)(fraction * 1000);
    if (set_item(values, NAME(state, created), PyFloat_FromDouble(created)) < 0 ||
        set_item(values, NAME(state, msecs), PyFloat_FromDouble(msecs)) < 0)
        return -1;
    return set_item(values, NAME(state, relativeCreated),
               PyFloat_FromDouble((created - start) * 1000));
}

/* Since 3.13 logging counts in nanoseconds: then its start is an int. */
int
put_when(State *state, PyObject *values)
{
    double seconds;
    long long nanoseconds;
    if (PyLong_CheckExact(THING(state, START)))
        return nanoseconds_now(state, &nanoseconds) < 0
                   ? -1
                   : put_ns(state, values, nanoseconds);
    return seconds_now(state, &seconds) < 0 ? -1 : put_seconds(state, values, seconds);
}
