// Single steps, for loops of the user's own: all samples of a data set as one batch.
#include "base/error.h"
#include "base/memory.h"
#include "train/check.h"
#include "train/evaluate.h"
#include "train/results.h"

static cj_status step_on(cj_model *model, cj_dataset *data, cj__mode mode, const char *who,
                         cj_results **results)
{
    cj__train_state *state;
    const cj__step_functions *functions;
    cj__reader *reader = NULL;
    cj__batch batch;
    int64_t size = 0;
    double sums[CJ__MAX_VALUES] = {0}, weights[CJ__MAX_VALUES] = {0}, values[CJ__MAX_VALUES];
    if (results)
        *results = NULL;
    CJ_TRY(cj__state_compiled(model, who, &state));
    if (!data)
        return cj__fail_missing_of(CJ__MADE_DATASET, who, "the data");
    CJ_TRY(cj__check_built(model, data, who));
    CJ_TRY(cj__check_data(model, state, data, who));
    CJ_TRY(cj__check_batches(model, data, data->count, who, &size));
    CJ_TRY(cj__functions_find(model, state, mode, data, false, &functions));
    CJ_TRY(cj__reader_new(data, size, false, &reader));
    cj__reader_start(reader, NULL, 0);
    const size_t room = (size_t)functions->state_count + 1;
    const cj__totals totals = {sums, weights, cj__new(room, sizeof *totals.states),
                               cj__new(room, sizeof *totals.batch_states)};
    cj_status status = totals.states && totals.batch_states ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK && !cj__reader_next(reader, &batch))
        status = cj__reader_status(reader);
    if (status == CJ_OK)
        status = cj__check_batch(model, state, data, &batch, who);
    if (status == CJ_OK)
        status = cj__functions_of_batch(model, state, data, &batch, functions, &functions);
    if (status == CJ_OK)
        status = cj__step_run(functions, &batch, &totals);
    if (status == CJ_OK && results) {
        cj__row_values(functions, &totals, values);
        status = cj__results_new(functions, values, results);
    }
    cj__free(totals.states);
    cj__free(totals.batch_states);
    cj__reader_free(reader);
    return status;
}

cj_status cj_train_on_batch(cj_model *model, cj_dataset *batch, cj_results **results)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_train_on_batch: the model");
    CJ_TRY(cj__use_to_write(cj__model_use(model), "cj_train_on_batch"));
    const uint64_t begin = cj__causes_begin();
    const cj_status status = step_on(model, batch, CJ__MODE_TRAIN, "cj_train_on_batch", results);
    cj__use_written(cj__model_use(model));
    return cj__causes_end(begin, status);
}

cj_status cj_test_on_batch(cj_model *model, cj_dataset *batch, cj_results **results)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_test_on_batch: the model");
    CJ_TRY(cj__use_to_read(cj__model_use(model), "cj_test_on_batch"));
    const uint64_t begin = cj__causes_begin();
    const cj_status status = step_on(model, batch, CJ__MODE_TEST, "cj_test_on_batch", results);
    cj__use_read(cj__model_use(model));
    return cj__causes_end(begin, status);
}
