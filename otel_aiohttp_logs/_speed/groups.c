/*
 * Records in a row that belong to one group are written into one buffer: packed ones are
 * copied, flat ones encoded. What cannot be written here is given to the twin in its turn,
 * so that the order stays.
 */
#include "speed.h"

static int
flush(Run *run)
{
    if (run->buffer.size == 0)
        return 0;
    PyObject *bytes = PyBytes_FromStringAndSize((char *)run->buffer.data,
                                                (Py_ssize_t)run->buffer.size);
    run->buffer.size = 0;
    if (bytes == NULL)
        return -1;
    int failed = PyList_Append(run->group, bytes);
    Py_DECREF(bytes);
    return failed;
}

static PyObject *
group_of(const Run *run, PyObject *key)
{
    PyObject *group = PyDict_GetItemWithError(run->groups, key);
    if (group != NULL)
        return Py_NewRef(group);
    if (PyErr_Occurred())
        return NULL;
    return PyObject_CallFunctionObjArgs(run->new_group, run->groups, key, NULL);
}

static int
change_group(Run *run, PyObject *key)
{
    if (flush(run) < 0)
        return -1;
    PyObject *group = group_of(run, key);
    if (group == NULL)
        return -1;
    if (!PyList_CheckExact(group)) {
        Py_DECREF(group);
        return -1;
    }
    Py_XSETREF(run->group, group);
    Py_XSETREF(run->key, Py_NewRef(key));
    return 0;
}

static int
put_packed(Run *run, const Packed *record)
{
    if (record->key != run->key && change_group(run, record->key) < 0)
        return -1;
    return put_bytes(&run->buffer, record->bytes, (size_t)Py_SIZE(record));
}

static int
put_flat(Run *run, const RecordKind *kind, PyObject *record)
{
    if (Py_TYPE(record) != kind->kind)
        return -1;
    PyObject *key = PyTuple_GET_ITEM(record, kind->key_at);
    if (key != run->key && change_group(run, key) < 0)
        return -1;
    size_t before = run->buffer.size, start;
    if (open_field(&run->buffer, 0x12, &start) == 0 &&
        kind->put(&run->buffer, record, kind->kinds) == 0 &&
        close_field(&run->buffer, start) == 0)
        return 0;
    run->buffer.size = before;
    return -1;
}

static int
leave_to_twin(Run *run, PyObject *twin, PyObject *record)
{
    PyErr_Clear();
    if (flush(run) < 0)
        return -1;
    PyObject *done = PyObject_CallFunctionObjArgs(twin, record, run->groups, NULL);
    if (done == NULL)
        return -1;
    Py_DECREF(done);
    return 0;
}

static int
put_record(Run *run, const RecordKind *kind, PyObject *twin, PyObject *record)
{
    if (Py_IS_TYPE(record, run->packed))
        return put_packed(run, (Packed *)record);
    return put_flat(run, kind, record) < 0 ? leave_to_twin(run, twin, record) : 0;
}

static int
put_records(Run *run, const RecordKind *kind, PyObject *twin, PyObject *records)
{
    /* A list, or a tuple: the twin may run any code, which may make it shorter. */
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(records); i++) {
        PyObject *record = Py_NewRef(PySequence_Fast_GET_ITEM(records, i));
        int failed = put_record(run, kind, twin, record) < 0;
        Py_DECREF(record);
        if (failed)
            return -1;
    }
    return flush(run);
}

/* args: what makes a new group, the twin, the records, the groups. */
PyObject *
group_records(PyObject *module, const RecordKind *kind, PyObject *const *args)
{
    if (!PyDict_CheckExact(args[3])) {
        PyErr_SetString(PyExc_TypeError, "groups are kept in a dict");
        return NULL;
    }
    PyObject *records = PySequence_Fast(args[2], "records are iterable");
    if (records == NULL)
        return NULL;
    Run run = {
        .new_group = args[0], .groups = args[3], .packed = state_of(module)->packed};
    int failed = put_records(&run, kind, args[1], records);
    Py_DECREF(records);
    Py_XDECREF(run.key);
    Py_XDECREF(run.group);
    buffer_free(&run.buffer);
    return failed ? NULL : Py_NewRef(Py_None);
}
