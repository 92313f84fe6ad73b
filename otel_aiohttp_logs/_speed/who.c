/*
 * Who made a record: its thread, process and task, as logging.LogRecord.__init__ says it.
 *
 * Most records have the same thread and process, so those stand in the template already. All
 * of them may be called something else at any time, and are looked at each time; without a
 * call where the function that says it is still the one that Python has.
 */
#include "speed.h"

#ifdef HAVE_FORK
#include <pthread.h>
#include <unistd.h>

static long known_pid;

static void
forget_pid(void)
{
    known_pid = 0;
}
#endif

int
watch_forks(PyObject *Py_UNUSED(module))
{
#ifdef HAVE_FORK
    static int watched;
    if (!watched && pthread_atfork(NULL, NULL, forget_pid) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    watched = 1;
#endif
    return 0;
}

/* 1 if the flag of logging is set, 0 if not, -1 if there's none. */
static int
flag(State *state, PyObject *name)
{
    if (is_untouched(state))
        return 1;
    PyObject *value = module_item(state, T_LOGGING, name);
    return value == NULL ? -1 : value == Py_True ? 1 : PyObject_IsTrue(value);
}

/* The number that *known* stands for already, or a new one. */
static PyObject *
number_like(PyObject *known, unsigned long number)
{
    if (known != NULL && PyLong_CheckExact(known) && PyLong_AsUnsignedLongMask(known) == number)
        return Py_NewRef(known);
    return PyLong_FromUnsignedLong(number);
}

static PyObject *
thread_ident(State *state)
{
    if (!is_untouched(state) &&
        module_item(state, T_THREADING, NAME(state, get_ident)) != THING(state, GET_IDENT))
        return ask(state, T_THREADING, NAME(state, get_ident));
    return number_like(state->who[THREAD], PyThread_get_thread_ident());
}

/* What Thread.name returns for a thread of ours; NULL without an exception if it's asked. */
static PyObject *
name_in(State *state, PyObject *ident)
{
    if (!is_untouched(state) && module_item(state, T_THREADING, NAME(state, current_thread)) !=
                                    THING(state, CURRENT_THREAD))
        return NULL;
    PyObject *thread = PyDict_GetItemWithError(THING(state, THREADS), ident);
    if (thread == NULL)
        return NULL;
    Py_INCREF(thread);
    PyObject *property = PyObject_GetAttr((PyObject *)Py_TYPE(thread), NAME(state, name));
    PyObject *name = NULL;
    if (property == THING(state, THREAD_NAME))
        name = PyObject_GetAttr(thread, NAME(state, _name));
    Py_XDECREF(property);
    Py_DECREF(thread);
    return name;
}

static PyObject *
thread_name(State *state, PyObject *ident)
{
    PyObject *name = ident == NULL ? NULL : name_in(state, ident);
    if (name != NULL || ident == NULL)
        return name;
    PyErr_Clear();
    PyObject *thread = ask(state, T_THREADING, NAME(state, current_thread));
    if (thread != NULL)
        name = PyObject_GetAttr(thread, NAME(state, name));
    Py_XDECREF(thread);
    return name;
}

static PyObject *
process_id(State *state)
{
#ifdef HAVE_FORK
    if (is_untouched(state) ||
        module_item(state, T_OS, NAME(state, getpid)) == THING(state, GETPID)) {
        if (known_pid == 0)
            known_pid = (long)getpid();
        return number_like(state->who[PROCESS], (unsigned long)known_pid);
    }
#endif
    return ask(state, T_OS, NAME(state, getpid));
}

/* Returns NULL, without an exception, for what only an Exception kept us from knowing. */
static PyObject *
name_by(PyObject *module, PyObject *function, PyObject *name, int called)
{
    Py_INCREF(module);
    PyObject *of = PyObject_CallMethodNoArgs(module, function), *result = NULL;
    Py_DECREF(module);
    if (of != NULL)
        result = called ? PyObject_CallMethodNoArgs(of, name) : PyObject_GetAttr(of, name);
    Py_XDECREF(of);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_Exception))
        PyErr_Clear();
    return result;
}

static PyObject *
process_name(State *state)
{
    PyObject *module =
        PyDict_GetItemWithError(PyImport_GetModuleDict(), NAME(state, multiprocessing));
    PyObject *name = NULL;
    if (module != NULL && module != Py_None)
        name = name_by(module, NAME(state, current_process), NAME(state, name), 0);
    if (name == NULL && !PyErr_Occurred())
        name = Py_NewRef(NAME(state, MainProcess));
    return name;
}

static int
find_who(State *state, PyObject *found[WHO_COUNT])
{
    int threads = flag(state, NAME(state, logThreads));
    int names = flag(state, NAME(state, logMultiprocessing));
    int processes = flag(state, NAME(state, logProcesses));
    if (threads < 0 || names < 0 || processes < 0)
        return -1;
    found[THREAD] = threads ? thread_ident(state) : Py_NewRef(Py_None);
    found[THREAD_IS] = threads ? thread_name(state, found[THREAD]) : Py_NewRef(Py_None);
    found[PROCESS_IS] = names ? process_name(state) : Py_NewRef(Py_None);
    found[PROCESS] = processes ? process_id(state) : Py_NewRef(Py_None);
    for (int i = 0; i < WHO_COUNT; i++) {
        if (found[i] == NULL || !(found[i] == Py_None || PyLong_CheckExact(found[i]) ||
                                  PyUnicode_CheckExact(found[i])))
            return -1;
    }
    return 0;
}

/* Returns a copy of the template, with those in it; nothing else runs between the two. */
static PyObject *
copy_with(State *state, PyObject *const found[WHO_COUNT])
{
    PyObject *const names[WHO_COUNT] = {NAME(state, thread), NAME(state, threadName),
                                        NAME(state, processName), NAME(state, process)};
    for (int i = 0; i < WHO_COUNT; i++) {
        if (state->who[i] == found[i])
            continue;
        if (PyDict_SetItem(THING(state, TEMPLATE), names[i], found[i]) < 0)
            return NULL;
        Py_XSETREF(state->who[i], Py_NewRef(found[i]));
    }
    return PyDict_Copy(THING(state, TEMPLATE));
}

PyObject *
values_here(State *state)
{
    PyObject *found[WHO_COUNT] = {NULL}, *values = NULL;
    if (find_who(state, found) == 0)
        values = copy_with(state, found);
    for (int i = 0; i < WHO_COUNT; i++)
        Py_XDECREF(found[i]);
    return values;
}

/* Since 3.12. */
int
put_task(State *state, PyObject *values)
{
    if (!PyDict_Contains(values, NAME(state, taskName)))
        return 0;
    int wanted = flag(state, NAME(state, logAsyncioTasks));
    if (wanted <= 0)
        return wanted;
    PyObject *module =
        PyDict_GetItemWithError(PyImport_GetModuleDict(), NAME(state, asyncio));
    if (module == NULL || module == Py_None)
        return PyErr_Occurred() ? -1 : 0;
    PyObject *name =
        name_by(module, NAME(state, current_task), NAME(state, get_name), 1);
    if (name == NULL)
        return PyErr_Occurred() ? -1 : 0;
    return set_item(values, NAME(state, taskName), name);
}
