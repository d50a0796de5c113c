#include "train/evaluate.h"
#include "base/error.h"
#include "train/check.h"
#include <string.h>

void cj__row_values(int count, const double *sums, const double *weights, double *values)
{
    for (int i = 0; i < count; i++)
        values[i] = weights[i] < 0 || weights[i] > 0 ? sums[i] / weights[i] : 0;
}

void cj__results_fill(cj_results *results, const cj__step_functions *functions,
                      const double *values)
{
    if (!results)
        return;
    results->count = functions->row_count;
    for (int i = 0; i < functions->row_count; i++) {
        memcpy(results->names[i], functions->rows[i].name, sizeof results->names[i]);
        results->values[i] = values[i];
    }
}

cj_status cj__evaluator_open(cj__evaluator *evaluator, cj_model *model, cj__train_state *state,
                             cj_dataset *data, int64_t batch_size, const char *who)
{
    CJ_TRY(cj__check_built(model, data, who));
    CJ_TRY(cj__check_data(model, state, data, who));
    CJ_TRY(cj__check_batches(model, data->count, batch_size, who, &batch_size));
    CJ_TRY(cj__functions_find(model, state, CJ__MODE_TEST, data, data->sample_weight,
                              &evaluator->functions));
    return cj__reader_new(data, batch_size, false, &evaluator->reader);
}

cj_status cj__evaluator_run(cj__evaluator *evaluator, double *values)
{
    double sums[CJ__MAX_VALUES] = {0}, weights[CJ__MAX_VALUES] = {0};
    cj__batch batch;
    cj__reader_start(evaluator->reader, NULL, 0);
    while (cj__reader_next(evaluator->reader, &batch))
        CJ_TRY(
            cj__step_run(evaluator->functions, &batch, batch.sample_weight, sums, weights, NULL));
    cj__row_values(evaluator->functions->row_count, sums, weights, values);
    return CJ_OK;
}

void cj__evaluator_close(cj__evaluator *evaluator)
{
    cj__reader_free(evaluator->reader);
    *evaluator = (cj__evaluator){0};
}

cj_status cj_evaluate(cj_model *model, cj_dataset *data, int64_t batch_size, cj_results *results)
{
    cj__train_state *state;
    cj__evaluator evaluator = {0};
    double values[CJ__MAX_VALUES];
    CJ_TRY(cj__state_compiled(model, "cj_evaluate", &state));
    if (!data)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_evaluate: the data is NULL");
    cj_status status =
        cj__evaluator_open(&evaluator, model, state, data, batch_size, "cj_evaluate");
    if (status == CJ_OK)
        status = cj__evaluator_run(&evaluator, values);
    if (status == CJ_OK)
        cj__results_fill(results, evaluator.functions, values);
    cj__evaluator_close(&evaluator);
    return status;
}
