/**
 * @file loop.h
 * Losses and optimizers as symbols: for a training loop of one's own.
 *
 * cj_fit() serves most training. Where a loop must do something else (several losses in turn, a
 * gradient penalty, weights that are tied), write the step as a graph: apply the model to input
 * symbols, take a loss, differentiate it by the model's variables (cj_gradients()), let an optimizer
 * say what to assign, and make one function of all that (cj_function()). Each call of the function
 * is a step.
 *
 * Applying a new model gives it to the symbol that comes out, and so to the function: it is gone
 * with the function unless you keep it. So write `cj_model *model = cj_take(cj_sequential(...))`, and
 * release it after the loop, when it is saved. The same holds for a loss that is used twice.
 */
#ifndef CAJAL_LOOP_H
#define CAJAL_LOOP_H

#include <cajal/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The loss named by a spec ("mse", "categorical_crossentropy(from_logits=true)") as a scalar symbol
 * for a loop of one's own: the mean over all samples, as cj_compile() takes it. `targets` and
 * `predictions` are as for a model: targets may have any dtype, and integer labels where the loss
 * wants them. NULL with CJ_INVALID_ARGUMENT (an unknown loss), CJ_SHAPE_MISMATCH or
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_symbol *cj_op_loss(const char *spec, cj_symbol *targets, cj_symbol *predictions);

/**
 * One training step for a loop of one's own: what a function must assign so that an optimizer steps
 * variables along their gradients. It holds the optimizer's own variables too: the learning rate,
 * the number of the step, and the slots.
 */
typedef struct cj_updates cj_updates;

/**
 * The updates of `count` variables, all of float32 or float64, whose gradients by a loss are
 * `gradients` (cj_gradients() gives them; floating ones are taken over). The optimizer is read, and
 * dropped if it floats. The function that is made with them may outlive them. NULL with
 * CJ_INVALID_ARGUMENT (a NULL; no variable), CJ_SHAPE_MISMATCH (a gradient of another shape or
 * dtype) or CJ_OUT_OF_MEMORY.
 *
 * @code
 * CJ_TRY(cj_gradients(loss, weights, n, gradients));
 * cj_updates *step = cj_optimizer_updates(cj_adam(), variables, gradients, n);
 * cj_function *train = cj_function(.inputs = x_and_y, .input_count = 2, .outputs = &loss,
 *                                  .output_count = 1, .updates = cj_updates_list(step),
 *                                  .update_count = cj_updates_count(step));
 * @endcode
 */
CJ_API cj_updates *cj_optimizer_updates(cj_optimizer *optimizer, cj_variable *const *variables,
                                        cj_symbol *const *gradients, int count);

/** The entries for cj_function_args.updates, as long as the updates live; NULL for NULL. */
CJ_API const cj_update *cj_updates_list(const cj_updates *updates);

/** The number of entries; 0 for NULL. */
CJ_API int cj_updates_count(const cj_updates *updates);

/** The scalar variable of the learning rate, to be assigned between calls; NULL for NULL. */
CJ_API cj_variable *cj_updates_learning_rate(const cj_updates *updates);

#ifdef __cplusplus
}
#endif
#endif
