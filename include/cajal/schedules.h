/**
 * @file schedules.h
 * Schedules: learning rates that are a function of the number of the step.
 *
 * A schedule is a spec, as any other choice (layers.h): a name with arguments, by position in the
 * order below or by name. Names, arguments, defaults and formulas are Keras's (3.15,
 * keras.optimizers.schedules) but for the last two. It is given as an optimizer's
 * `.learning_rate_schedule`, or in an optimizer's spec as its learning_rate:
 * "adam(learning_rate=cosine_decay(1e-3, 10000))". With t the number of the step, from 0:
 *
 * | spec | rate |
 * | --- | --- |
 * | exponential_decay(initial_learning_rate, decay_steps, decay_rate, staircase=false) | initial decay_rate^p, p = t / decay_steps, rounded down with staircase |
 * | inverse_time_decay(initial_learning_rate, decay_steps, decay_rate, staircase=false) | initial / (1 + decay_rate p) |
 * | polynomial_decay(initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1, cycle=false) | (initial - end) (1 - t / d)^power + end, d = decay_steps; t stops at d, or with cycle d grows to the next multiple of it |
 * | piecewise_constant_decay(boundaries, values) | the value number i up to the boundary number i, the last one after; of at most 8 values: "piecewise_constant_decay([100, 200], [1, 0.5, 0.1])" |
 * | cosine_decay(initial_learning_rate, decay_steps, alpha=0, warmup_target=none, warmup_steps=0) | initial ((1 - alpha) (1 + cos(pi t / decay_steps)) / 2 + alpha); with a warmup_target first linearly from initial to it in warmup_steps, and then from there |
 * | cosine_decay_restarts(initial_learning_rate, first_decay_steps, t_mul=2, m_mul=1, alpha=0) | the same over and over, each time t_mul as long and m_mul as high (Loshchilov and Hutter 2016) |
 * | one_cycle(max_learning_rate, total_steps, pct_start=0.3, div_factor=25, final_div_factor=10000) | by half a cosine from max / div_factor to max in the first pct_start, and then to max / (div_factor final_div_factor) (Smith and Topin 2017, as in PyTorch) |
 * | constant_rate(learning_rate) | the same in each step |
 *
 * Each has two more arguments, by name: with linear_warmup_steps=n the first n steps go linearly
 * from linear_warmup_start (default 0) to the rate of step 0, and the schedule begins after them.
 *
 * The rate is computed in the step's function from the counter of steps, so that a run that is
 * resumed goes on with the same rates; cj_learning_rate() tells that of the next step.
 */
#ifndef CAJAL_SCHEDULES_H
#define CAJAL_SCHEDULES_H

#include <cajal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes to `*rate` the learning rate of the schedule `spec` at `step`, counted from 0.
 * CJ_INVALID_ARGUMENT for an unknown name or a setting out of range, or NULL. May be called by
 * several threads at once.
 */
CJ_API cj_status cj_schedule_rate(const char *spec, int64_t step, double *rate);

#ifdef __cplusplus
}
#endif
#endif
