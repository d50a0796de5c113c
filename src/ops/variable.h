// The memory of variables. A variable lives in the host's memory, in the block of its tensor, or on
// one device, in memory of that device. On a device its tensor is a host copy, refreshed when the
// value is asked for. Plans use cj__variable_place() and cj__variable_memory(). All code that reads
// or writes numbers on the host uses the functions below them, which work wherever the variable
// lives.
//
// Threads: several threads may read a variable at once. Writing it, moving it, and running a function
// that updates it need exclusive access.
#ifndef CJ_OPS_VARIABLE_H
#define CJ_OPS_VARIABLE_H

#include "ops/device.h"
#include "ops/symbol.h"

// Moves a variable, with its value, into the memory of a device, which it holds; into the host's
// for NULL and for a device of that memory. Nothing to do where it is there already.
cj_status cj__variable_place(cj_variable *variable, cj__device *device);
// Where it lives; NULL for the host's memory.
cj__device *cj__variable_device(const cj_variable *variable);
// The block that calls read and write: in the host's memory, or in that of the device.
void *cj__variable_memory(const cj_variable *variable);
// Calls have written into the block.
void cj__variable_changed(cj_variable *variable);
// Another number after each change of the value, for those who keep what they made of it; below 0
// where changes are not seen, because a pointer to the value has been given away.
const _Atomic int64_t *cj__variable_version(const cj_variable *variable);
// Of a variable whose tensor nobody else has a pointer to: from now on changes are seen. Until then
// the caller of cj_variable_new() may have one.
void cj__variable_own(cj_variable *variable);

// Dtype and shape, which never change; the number of elements and of bytes.
cj__type cj__variable_type(const cj_variable *variable);
int64_t cj__variable_count(const cj_variable *variable);
size_t cj__variable_bytes(const cj_variable *variable);

// The value in the host's memory, to be read and not written; of a variable on a device, it is that
// of now and does not follow later changes. Valid as long as the variable. NULL with a sentence if
// the device cannot be read.
const cj_tensor *cj__variable_read(const cj_variable *variable);
// Gives the variable a value of its bytes; gives every element the same value.
cj_status cj__variable_write(cj_variable *variable, const void *bytes);
cj_status cj__variable_fill(cj_variable *variable, double value);
// Writing without another block: the value in the host's memory, of which all or some is to be
// overwritten, and then cj__variable_commit(), which gives it to the variable. NULL with a sentence
// as above.
cj_tensor *cj__variable_edit(cj_variable *variable);
cj_status cj__variable_commit(cj_variable *variable);

#endif
