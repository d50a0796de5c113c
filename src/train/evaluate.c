#include "train/evaluate.h"
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "train/check.h"
#include "train/results.h"
#include <string.h>

cj_status cj__evaluator_open(cj__evaluator *evaluator, cj_model *model, cj__train_state *state,
                             cj_dataset *data, int64_t batch_size, const char *who)
{
    CJ_TRY(cj__check_built(model, data, who));
    CJ_TRY(cj__check_data(model, state, data, who));
    CJ_TRY(cj__check_batches(model, data, batch_size, who, &batch_size));
    evaluator->model = model;
    evaluator->state = state;
    evaluator->data = data;
    evaluator->who = who;
    CJ_TRY(cj__functions_find(model, state, CJ__MODE_TEST, data, false, &evaluator->functions));
    const size_t room = (size_t)evaluator->functions->state_count + 1;
    evaluator->states = cj__new(room, sizeof *evaluator->states);
    evaluator->batch_states = cj__new(room, sizeof *evaluator->batch_states);
    if (!evaluator->states || !evaluator->batch_states)
        return CJ_OUT_OF_MEMORY;
    return cj__reader_new(data, batch_size, false, &evaluator->reader);
}

cj_status cj__evaluator_run(cj__evaluator *evaluator, int64_t steps, cj__progress *progress,
                            double *values)
{
    double sums[CJ__MAX_VALUES] = {0}, weights[CJ__MAX_VALUES] = {0};
    const char *names[CJ__MAX_VALUES];
    const cj__totals totals = {sums, weights, evaluator->states, evaluator->batch_states};
    const int count = evaluator->functions->row_count;
    cj__batch batch;
    for (int i = 0; i < count; i++)
        names[i] = evaluator->functions->rows[i].name;
    memset(evaluator->states, 0,
           (size_t)evaluator->functions->state_count * sizeof *evaluator->states);
    cj__reader_start(evaluator->reader, NULL, 0);
    for (int64_t step = 0; steps == 0 || step < steps; step++) {
        if (!cj__reader_next(evaluator->reader, &batch)) {
            CJ_TRY(cj__reader_status(evaluator->reader));
            break;
        }
        CJ_TRY(cj__check_batch(evaluator->model, evaluator->state, evaluator->data, &batch,
                               evaluator->who));
        const cj__step_functions *functions;
        CJ_TRY(cj__functions_of_batch(evaluator->model, evaluator->state, evaluator->data, &batch,
                                      evaluator->functions, &functions));
        CJ_TRY(cj__step_run(functions, &batch, &totals));
        if (!progress)
            continue;
        cj__row_values(evaluator->functions, &totals, values);
        progress->logs.count = count;
        progress->logs.names = names;
        progress->logs.values = values;
        cj__progress_batch(progress);
    }
    cj__row_values(evaluator->functions, &totals, values);
    if (progress)
        cj__progress_close(progress, true);
    return CJ_OK;
}

void cj__evaluator_close(cj__evaluator *evaluator)
{
    cj__reader_free(evaluator->reader);
    cj__free(evaluator->states);
    cj__free(evaluator->batch_states);
    *evaluator = (cj__evaluator){0};
}

CJ__DEFAULTS(evaluate, EVALUATE)

cj_status cj_evaluate_with(cj_model *model, cj_dataset *data, cj_results **results,
                           const cj_evaluate_args *args)
{
    cj__train_state *state;
    cj__evaluator evaluator = {0};
    cj__progress progress = {0};
    cj_evaluate_args given;
    double values[CJ__MAX_VALUES];
    if (!results)
        return cj__fail_null("cj_evaluate: the place for the results");
    *results = NULL;
    CJ_TRY(cj__args_read("cj_evaluate", args, &evaluate_defaults, sizeof given, &given));
    CJ_TRY(cj__check_verbose(given.verbose, "cj_evaluate"));
    CJ_TRY(cj__state_compiled(model, "cj_evaluate", &state));
    if (!data)
        return cj__fail_missing(CJ__MADE_DATASET, "cj_evaluate: the data");
    CJ_TRY(cj__use_to_read(cj__model_use(model), "cj_evaluate"));
    const uint64_t begin = cj__causes_begin();
    cj_status status =
        cj__evaluator_open(&evaluator, model, state, data, given.batch_size, "cj_evaluate");
    if (status == CJ_OK)
        status = cj__progress_open(&progress, given.verbose, given.stream,
                                   cj__reader_batches(evaluator.reader));
    if (status == CJ_OK)
        status = cj__evaluator_run(&evaluator, 0, &progress, values);
    cj__progress_close(&progress, false); // where it is open yet
    if (status == CJ_OK)
        status = cj__results_new(evaluator.functions, values, results);
    cj__evaluator_close(&evaluator);
    cj__use_read(cj__model_use(model));
    return cj__causes_end(begin, status);
}
