// Inside a data set, and the reader that hands its samples out in batches; for the rooms that train
// and predict.
//
// A *reader* makes *passes* over a data set. Each pass has an order (a permutation or any list of
// sample numbers as long as the data set) and begins at any batch, so that a stopped run can be
// resumed. A batch gives, for each input, target and for the weights, a pointer to contiguous
// samples in the tensor's own dtype: bytes stay bytes.
//
//     cj__reader *reader;
//     CJ_TRY(cj__reader_new(data, batch_size, true, &reader));
//     for each epoch:
//         cj__random_order(key, epoch, order, cj_dataset_count(data));
//         cj__reader_start(reader, order, first_batch);
//         cj__batch batch;
//         while (cj__reader_next(reader, &batch))
//             step(batch.x, batch.y, batch.weights, batch.count);
//     cj__reader_free(reader);
//
// Of data sets in memory cj__reader_next() gathers a batch itself and prefetches the samples of the
// next one into the cache: a thread for reading would only take a CPU from those that compute. Where
// the order is the data set's own and a tensor lies contiguously, its batches are views into the
// tensor, not copies. Those whose samples are read when they are needed (source.h) are read ahead by
// threads (ahead.h). After cj__reader_new() a reader allocates nothing; what reads a sample may. A
// reader belongs to one thread; several readers may read one data set.
#ifndef CJ_DATA_DATASET_H
#define CJ_DATA_DATASET_H

#include "base/object.h"
#include <cajal/data.h>

// The tensors of a data set are its *parts*: inputs, then targets, then sample weights.
struct cj_dataset {
    cj__object object;
    int64_t count; // samples
    int x_count, y_count;
    // 0: all weigh 1; 1: of all targets; or as many as targets. Float32 and contiguous whatever the user
    // gave, (samples), or with the first axes of what they weigh
    int weight_count;
    cj_tensor **parts;             // held
    cj_tensor **x, **y, **weights; // where these are among the parts
};

extern const cj__class cj__dataset_class;

// Makes room for so many parts, all NULL, which whoever releases the data set frees. CJ_OUT_OF_MEMORY.
cj_status cj__dataset_room(cj_dataset *data, int x_count, int y_count, int weight_count);
int cj__dataset_parts(const cj_dataset *data); // how many
// Room for the parts that another data set has.
cj_status cj__dataset_room_like(cj_dataset *parts, const cj_dataset *like);
// How a function ends that makes the parts of a new data set on the stack: with `status` CJ_OK it is
// made over them, with the classes of `like`; else they are released, and the status is returned.
cj_status cj__dataset_of(cj_dataset *parts, cj_status status, const cj_dataset *like,
                         cj_dataset **made);
// Of a data set on the stack: releases the tensors, frees the room.
void cj__dataset_clear(cj_dataset *data);

// Gives the classes of a data set that cj_dataset_new() made their names, which are copied.
// CJ_OUT_OF_MEMORY.
cj_status cj__dataset_name_classes(cj_dataset *data, char *const *names, int count);
// The same with those of another data set, if it names any.
cj_status cj__dataset_copy_classes(cj_dataset *data, const cj_dataset *from);

struct cj__source;
// A data set without tensors over a source, which it takes over. NULL without memory.
cj_dataset *cj__dataset_over(struct cj__source *source);
// The batch size that a chain of data sets asks for; 0 if none does.
int64_t cj__dataset_batch_size(const cj_dataset *data);
// Whether the order of the samples is part of the data, and is kept.
bool cj__dataset_has_order(const cj_dataset *data);
// Whether targets are cut with their batches: see cj_dataset_padded_batch().
bool cj__dataset_cuts_targets(const cj_dataset *data);

// One batch. Pointers are valid until the next call of cj__reader_next(), cj__reader_start() or
// cj__reader_free(). Gathered samples are aligned to 64 bytes; views only to their element.
typedef struct cj__batch {
    // of this batch in the pass, from 0 whatever batch the pass began at
    int64_t index;
    int64_t first; // the place of its first sample in the pass
    int64_t count; // samples: the batch size, or what is left in the last batch
    // (count, sample shape) each: x, y, weights, and one entry more, as a step's function takes them.
    // The list is the reader's.
    const void **parts;
    const void *const *x, *const *y, *const *weights; // where these are in it
    // their numbers in the data set: the order's entries; NULL for the data set's own order
    const int64_t *samples;
    // the steps that the parts with steps have in this batch; 0: as many as in the data set
    int64_t steps;
} cj__batch;

typedef struct cj__reader cj__reader;

// Makes a reader, which holds `data`. A batch size above the number of samples means all of them.
// Without `shuffled` the caller promises that every pass has the data set's own order: no memory is
// taken for contiguous tensors. CJ_INVALID_ARGUMENT for a batch size below 1, CJ_OUT_OF_MEMORY.
cj_status cj__reader_new(cj_dataset *data, int64_t batch_size, bool shuffled, cj__reader **reader);

// Begins a pass at batch `first_batch`; an unfinished pass is ended. `order` has as many entries
// as the data set has samples, each a valid sample number (asserted); it is the caller's and must
// stay unchanged until cj__reader_next() has returned false, or the pass has been ended. NULL is
// the data set's own order.
void cj__reader_start(cj__reader *reader, const int64_t *order, int64_t first_batch);

// For data whose samples are read when they are needed: passes without an order get a permutation of
// this key and the pass, which takes no memory. CJ_OUT_OF_MEMORY.
cj_status cj__reader_permute(cj__reader *reader, uint64_t key);

// The number of the passes that begin from now on, for samples that change from pass to pass; 0 at
// first.
void cj__reader_set_pass(cj__reader *reader, uint64_t pass);

// Ends the pass early: the order is no longer read, and cj__reader_next() returns false. To be
// called before the order array of an unfinished pass is filled again.
void cj__reader_stop(cj__reader *reader);

// The next batch of the pass; false after the last one, and where a sample cannot be read: then
// cj__reader_status() is not CJ_OK.
bool cj__reader_next(cj__reader *reader, cj__batch *batch);

// What the latest cj__reader_next() failed with, its sentence recorded; CJ_OK.
cj_status cj__reader_status(const cj__reader *reader);

// Nanoseconds that cj__reader_next() has waited for samples to be read.
int64_t cj__reader_waited(const cj__reader *reader);

struct cj__timeline;
// Where the reader and its threads tell what they do from now on (timeline.h); NULL: nowhere. It lives
// as long as the reader, or until it is taken away.
void cj__reader_set_timeline(cj__reader *reader, struct cj__timeline *timeline);

// Batches in a whole pass: samples / batch size, rounded up.
int64_t cj__reader_batches(const cj__reader *reader);

// Frees everything; NULL is fine.
void cj__reader_free(cj__reader *reader);

#endif
