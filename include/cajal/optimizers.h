/**
 * @file optimizers.h
 * Optimizers: Keras's rules, one constructor each. Names, arguments, defaults and formulas are
 * Keras's (3.15).
 *
 * Constructors return a floating object, which cj_compile() takes over, or NULL with
 * CJ_INVALID_ARGUMENT (a setting out of range, an unknown name) or CJ_OUT_OF_MEMORY. They may be
 * called by several threads at once.
 *
 * A constraint changes a weight after each step of the optimizer. With n the L2 norms of the weight
 * along `axis` (a number, or a list such as (0, 1, 2), negative from the end; default 0):
 * "max_norm(max_value=2, axis=0)" is w min(n, max_value) / (n + 1e-7), "unit_norm(axis=0)" is
 * w / (n + 1e-7), "min_max_norm(min_value=0, max_value=1, rate=1, axis=0)" is w d / (n + 1e-7) with
 * d = rate clip(n, min_value, max_value) + (1 - rate) n, and "non_neg" is max(w, 0).
 */
#ifndef CAJAL_OPTIMIZERS_H
#define CAJAL_OPTIMIZERS_H

#include <cajal/base.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An optimizer: a rule with its settings. Its slots belong to the model that was compiled with it.
 */
typedef struct cj_optimizer cj_optimizer;

/**
 * The head of every optimizer's arguments. `size` is the bytes of the struct, by which the library
 * tells older callers. `name` is the rule's name by default, such as "sgd". With `weight_decay`
 * (default 0) each step begins with w -= learning_rate * weight_decay * w. At most one of the three
 * limits may be set, to a positive number: `clipnorm` on the L2 norm of each gradient,
 * `global_clipnorm` on the L2 norm of all gradients together, `clipvalue` on the magnitude of each
 * element; the default of each is INFINITY, no limit. `reserved` is room for members to come, and
 * is zero.
 */
#define CJ_OPTIMIZER_MEMBERS                                 \
    size_t size;                                             \
    const char *name;       /**< default: the rule's name */ \
    double weight_decay;    /**< default 0 */                \
    double clipnorm;        /**< default INFINITY */         \
    double global_clipnorm; /**< default INFINITY */         \
    double clipvalue;       /**< default INFINITY */         \
    uint64_t reserved[4];   /**< zero */

/**
 * What every optimizer's arguments end with. With `use_ema` the optimizer keeps a moving average of
 * each weight, a = m a + (1 - m) w after each step, with m = ema_momentum, and m = 0 in the first
 * step; every `ema_overwrite_frequency` steps the weights become their averages, and so they do at
 * the end of cj_fit(), unless a callback stops it within an epoch. With `gradient_accumulation_steps` of n, at least 2, each n-th step takes the
 * mean gradient of n batches, and the others change nothing else. `loss_scale_factor` multiplies the
 * loss before gradients are taken of it, and divides these. A weight whose own name ("bias" of
 * "dense/bias") contains one of the words in `exclude_from_weight_decay`, such as "bias|gamma", does
 * not decay; a word with "/" is looked for in the whole name. `learning_rate_schedule` is a spec of
 * schedules.h, such as "cosine_decay(0.1, 1000)", from which each step takes its rate instead of
 * `learning_rate`; in the spec of an optimizer it may be written as its learning_rate:
 * "sgd(learning_rate=cosine_decay(0.1, 1000))".
 */
#define CJ_OPTIMIZER_LATER_MEMBERS                                                  \
    double ema_momentum;                   /**< 0 to 1, default 0.99 */             \
    bool use_ema;                          /**< default false */                    \
    int64_t ema_overwrite_frequency;       /**< positive; default -1: at the end */ \
    int64_t gradient_accumulation_steps;   /**< at least 2; default -1: none */     \
    double loss_scale_factor;              /**< positive; default INFINITY: none */ \
    const char *exclude_from_weight_decay; /**< default NULL: none */               \
    const char *learning_rate_schedule;    /**< spec, default NULL: none */

/**
 * The defaults of CJ_OPTIMIZER_MEMBERS and CJ_OPTIMIZER_LATER_MEMBERS in the arguments struct `type`
 * of the rule `rule`.
 */
#define CJ_OPTIMIZER_DEFAULTS(type, rule)                                                  \
    .size = sizeof(type), .name = rule, .clipnorm = INFINITY, .global_clipnorm = INFINITY, \
    .clipvalue = INFINITY, .ema_momentum = 0.99, .ema_overwrite_frequency = -1,            \
    .gradient_accumulation_steps = -1, .loss_scale_factor = INFINITY

/**
 * SGD: m = momentum * m - learning_rate * g; w += m (Nesterov: w += momentum * m - learning_rate *
 * g).
 */
typedef struct cj_sgd_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.01
    double momentum;      ///< default 0
    bool nesterov;        ///< default false
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_sgd_args;
/** The defaults of cj_sgd_args. */
#define CJ_SGD_DEFAULTS CJ_OPTIMIZER_DEFAULTS(cj_sgd_args, "sgd"), .learning_rate = 0.01
/** Sets `args` to CJ_SGD_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_sgd_defaults(cj_sgd_args *args);
/** Stochastic gradient descent. */
CJ_API cj_optimizer *cj_sgd_new(const cj_sgd_args *args);
#define cj_sgd(...) cj_sgd_new(&(cj_sgd_args){CJ_SGD_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Adagrad (Duchi et al. 2011): a += g²; w -= learning_rate * g / sqrt(a + epsilon).
 */
typedef struct cj_adagrad_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                            ///< what follows may be given by position
    double learning_rate;             ///< default 0.001
    double initial_accumulator_value; ///< default 0.1
    double epsilon;                   ///< default 1e-7
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_adagrad_args;
/** The defaults of cj_adagrad_args. */
#define CJ_ADAGRAD_DEFAULTS                            \
    CJ_OPTIMIZER_DEFAULTS(cj_adagrad_args, "adagrad"), \
        .learning_rate = 0.001, .initial_accumulator_value = 0.1, .epsilon = 1e-7
/** Sets `args` to CJ_ADAGRAD_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adagrad_defaults(cj_adagrad_args *args);
/** Adaptive gradients. */
CJ_API cj_optimizer *cj_adagrad_new(const cj_adagrad_args *args);
#define cj_adagrad(...) cj_adagrad_new(&(cj_adagrad_args){CJ_ADAGRAD_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Adadelta (Zeiler 2012), as Keras has it.
 */
typedef struct cj_adadelta_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double rho;           ///< default 0.95
    double epsilon;       ///< default 1e-7
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_adadelta_args;
/** The defaults of cj_adadelta_args. */
#define CJ_ADADELTA_DEFAULTS                                                                  \
    CJ_OPTIMIZER_DEFAULTS(cj_adadelta_args, "adadelta"), .learning_rate = 0.001, .rho = 0.95, \
                                                         .epsilon = 1e-7
/** Sets `args` to CJ_ADADELTA_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adadelta_defaults(cj_adadelta_args *args);
/** Adadelta. */
CJ_API cj_optimizer *cj_adadelta_new(const cj_adadelta_args *args);
#define cj_adadelta(...) \
    cj_adadelta_new(&(cj_adadelta_args){CJ_ADADELTA_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RMSprop (Tieleman and Hinton 2012): v = rho * v + (1 - rho) * g²; w -= learning_rate * g / sqrt(v
 * + epsilon).
 */
typedef struct cj_rmsprop_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double rho;           ///< default 0.9
    double momentum;      ///< default 0
    double epsilon;       ///< default 1e-7
    bool centered;        ///< default false; true: subtract the squared mean gradient
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_rmsprop_args;
/** The defaults of cj_rmsprop_args. */
#define CJ_RMSPROP_DEFAULTS                                                                \
    CJ_OPTIMIZER_DEFAULTS(cj_rmsprop_args, "rmsprop"), .learning_rate = 0.001, .rho = 0.9, \
                                                       .epsilon = 1e-7
/** Sets `args` to CJ_RMSPROP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_rmsprop_defaults(cj_rmsprop_args *args);
/** RMSprop. */
CJ_API cj_optimizer *cj_rmsprop_new(const cj_rmsprop_args *args);
#define cj_rmsprop(...) cj_rmsprop_new(&(cj_rmsprop_args){CJ_RMSPROP_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Adam (Kingma and Ba 2014), epsilon outside the root and the bias correction in the rate, as in
 * Keras.
 */
typedef struct cj_adam_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    bool amsgrad;         ///< default false; true: use the maximum of the second moments so far
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_adam_args;
/** The defaults of cj_adam_args. */
#define CJ_ADAM_DEFAULTS                                                                \
    CJ_OPTIMIZER_DEFAULTS(cj_adam_args, "adam"), .learning_rate = 0.001, .beta_1 = 0.9, \
                                                 .beta_2 = 0.999, .epsilon = 1e-7
/** Sets `args` to CJ_ADAM_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adam_defaults(cj_adam_args *args);
/** Adam. */
CJ_API cj_optimizer *cj_adam_new(const cj_adam_args *args);
#define cj_adam(...) cj_adam_new(&(cj_adam_args){CJ_ADAM_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * AdamW (Loshchilov and Hutter 2017): Adam whose weights decay by learning_rate * weight_decay in
 * each step. `weight_decay` is 0.004 by default.
 */
typedef struct cj_adamw_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    bool amsgrad;         ///< default false; true: use the maximum of the second moments so far
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_adamw_args;
/** The defaults of cj_adamw_args. */
#define CJ_ADAMW_DEFAULTS                                                                         \
    CJ_OPTIMIZER_DEFAULTS(cj_adamw_args, "adamw"), .weight_decay = 0.004, .learning_rate = 0.001, \
                                                   .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7
/** Sets `args` to CJ_ADAMW_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adamw_defaults(cj_adamw_args *args);
/** Adam with weight decay. */
CJ_API cj_optimizer *cj_adamw_new(const cj_adamw_args *args);
#define cj_adamw(...) cj_adamw_new(&(cj_adamw_args){CJ_ADAMW_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Adamax (Kingma and Ba 2014): m += (1 - beta_1) (g - m); u = max(beta_2 u, |g|); w -= learning_rate
 * m / ((1 - beta_1^t) (u + epsilon)), t the number of the step from 1.
 */
typedef struct cj_adamax_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_adamax_args;
/** The defaults of cj_adamax_args. */
#define CJ_ADAMAX_DEFAULTS                                                                  \
    CJ_OPTIMIZER_DEFAULTS(cj_adamax_args, "adamax"), .learning_rate = 0.001, .beta_1 = 0.9, \
                                                     .beta_2 = 0.999, .epsilon = 1e-7
/** Sets `args` to CJ_ADAMAX_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adamax_defaults(cj_adamax_args *args);
/** Adam by the greatest gradient. */
CJ_API cj_optimizer *cj_adamax_new(const cj_adamax_args *args);
#define cj_adamax(...) cj_adamax_new(&(cj_adamax_args){CJ_ADAMAX_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Nadam (Dozat 2015): Adam with Nesterov's momentum. With b(t) = beta_1 (1 - 0.96^t / 2) and P the
 * product of b(1) to b(t): w -= learning_rate M / (sqrt(v / (1 - beta_2^t)) + epsilon), M = b(t + 1) m
 * / (1 - P b(t + 1)) + (1 - b(t)) g / (1 - P), with Adam's m and v.
 */
typedef struct cj_nadam_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_nadam_args;
/** The defaults of cj_nadam_args. */
#define CJ_NADAM_DEFAULTS                                                                 \
    CJ_OPTIMIZER_DEFAULTS(cj_nadam_args, "nadam"), .learning_rate = 0.001, .beta_1 = 0.9, \
                                                   .beta_2 = 0.999, .epsilon = 1e-7
/** Sets `args` to CJ_NADAM_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_nadam_defaults(cj_nadam_args *args);
/** Adam with Nesterov's momentum. */
CJ_API cj_optimizer *cj_nadam_new(const cj_nadam_args *args);
#define cj_nadam(...) cj_nadam_new(&(cj_nadam_args){CJ_NADAM_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Ftrl (McMahan et al. 2013), with Keras's shrinkage: with a' = a + g², s(x) = x^-learning_rate_power,
 * L = l2_regularization_strength + beta / (2 learning_rate), G = g + 2
 * l2_shrinkage_regularization_strength w: z += G - (s(a') - s(a)) w / learning_rate; w = (clip(z, -l1,
 * l1) - z) / (s(a') / learning_rate + 2 L), l1 = l1_regularization_strength.
 */
typedef struct cj_ftrl_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                                       ///< what follows may be given by position
    double learning_rate;                        ///< default 0.001
    double learning_rate_power;                  ///< not positive, default -0.5
    double initial_accumulator_value;            ///< default 0.1
    double l1_regularization_strength;           ///< default 0
    double l2_regularization_strength;           ///< default 0
    double l2_shrinkage_regularization_strength; ///< default 0
    double beta;                                 ///< default 0
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_ftrl_args;
/** The defaults of cj_ftrl_args. */
#define CJ_FTRL_DEFAULTS                         \
    CJ_OPTIMIZER_DEFAULTS(cj_ftrl_args, "ftrl"), \
        .learning_rate = 0.001, .learning_rate_power = -0.5, .initial_accumulator_value = 0.1
/** Sets `args` to CJ_FTRL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_ftrl_defaults(cj_ftrl_args *args);
/** Follow the regularized leader. */
CJ_API cj_optimizer *cj_ftrl_new(const cj_ftrl_args *args);
#define cj_ftrl(...) cj_ftrl_new(&(cj_ftrl_args){CJ_FTRL_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Lion (Chen et al. 2023): w -= learning_rate sign(beta_1 m + (1 - beta_1) g); m = beta_2 m + (1 -
 * beta_2) g.
 */
typedef struct cj_lion_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double beta_1;        ///< above 0, default 0.9
    double beta_2;        ///< default 0.99
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_lion_args;
/** The defaults of cj_lion_args. */
#define CJ_LION_DEFAULTS                                                                \
    CJ_OPTIMIZER_DEFAULTS(cj_lion_args, "lion"), .learning_rate = 0.001, .beta_1 = 0.9, \
                                                 .beta_2 = 0.99
/** Sets `args` to CJ_LION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_lion_defaults(cj_lion_args *args);
/** The sign of a momentum. */
CJ_API cj_optimizer *cj_lion_new(const cj_lion_args *args);
#define cj_lion(...) cj_lion_new(&(cj_lion_args){CJ_LION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Lamb (You et al. 2019): with Adam's m and v, u = (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) +
 * epsilon); w -= learning_rate u |w| / |u|, or learning_rate u where |w| or |u| is 0.
 */
typedef struct cj_lamb_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_lamb_args;
/** The defaults of cj_lamb_args. */
#define CJ_LAMB_DEFAULTS                                                                \
    CJ_OPTIMIZER_DEFAULTS(cj_lamb_args, "lamb"), .learning_rate = 0.001, .beta_1 = 0.9, \
                                                 .beta_2 = 0.999, .epsilon = 1e-7
/** Sets `args` to CJ_LAMB_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_lamb_defaults(cj_lamb_args *args);
/** Adam whose steps are shares of each weight's norm, for large batches. */
CJ_API cj_optimizer *cj_lamb_new(const cj_lamb_args *args);
#define cj_lamb(...) cj_lamb_new(&(cj_lamb_args){CJ_LAMB_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Adafactor (Shazeer and Stern 2018): second moments of a matrix from those of its rows and columns.
 * With p = min(learning_rate, 1 / sqrt(t)), b = 1 - t^beta_2_decay, G = g² + epsilon_1, of a weight of
 * two axes or more: r = b r + (1 - b) mean(G, -1), c = b c + (1 - b) mean(G, -2), v = r c / mean(r,
 * -1); else v = b v + (1 - b) G. u = g / sqrt(v); w -= p max(epsilon_2, rms(w)) u / max(1, rms(u) /
 * clip_threshold). `relative_step` changes nothing, as in Keras, where p is the minimum in any case.
 */
typedef struct cj_adafactor_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                 ///< what follows may be given by position
    double learning_rate;  ///< default 0.001
    double beta_2_decay;   ///< default -0.8
    double epsilon_1;      ///< default 1e-30
    double epsilon_2;      ///< default 0.001
    double clip_threshold; ///< positive, default 1
    bool relative_step;    ///< default true
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_adafactor_args;
/** The defaults of cj_adafactor_args. */
#define CJ_ADAFACTOR_DEFAULTS                                                                 \
    CJ_OPTIMIZER_DEFAULTS(cj_adafactor_args, "adafactor"),                                    \
        .learning_rate = 0.001, .beta_2_decay = -0.8, .epsilon_1 = 1e-30, .epsilon_2 = 0.001, \
        .clip_threshold = 1, .relative_step = true
/** Sets `args` to CJ_ADAFACTOR_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adafactor_defaults(cj_adafactor_args *args);
/** Adam's second moments in little memory. */
CJ_API cj_optimizer *cj_adafactor_new(const cj_adafactor_args *args);
#define cj_adafactor(...) \
    cj_adafactor_new(&(cj_adafactor_args){CJ_ADAFACTOR_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Muon (Jordan et al. 2024), for matrices: m = momentum m + g; G = g + momentum m (nesterov) or m; O =
 * the nearly orthogonal matrix that `ns_steps` steps X = a X + (b A + c A²) X, A = X X^T, of Newton and
 * Schulz make of G / |G|; w -= learning_rate O sqrt(max(rows, columns)) rms_rate. Weights of other
 * ranks take AdamW's step with learning_rate * adam_lr_ratio and decay by adam_weight_decay; so do
 * those whose name contains "embedding" if `exclude_embeddings`, or one of the words in
 * `exclude_layers`, such as "head|logits". `weight_decay` is 0.004 by default.
 */
typedef struct cj_muon_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                      ///< what follows may be given by position
    double learning_rate;       ///< default 0.001
    double adam_beta_1;         ///< default 0.9
    double adam_beta_2;         ///< default 0.999
    double adam_weight_decay;   ///< default 0.004
    double epsilon;             ///< default 1e-7
    const char *exclude_layers; ///< default NULL: none
    bool exclude_embeddings;    ///< default true
    double muon_a;              ///< default 3.4445
    double muon_b;              ///< default -4.775
    double muon_c;              ///< default 2.0315
    double adam_lr_ratio;       ///< default 1
    double momentum;            ///< default 0.95
    int64_t ns_steps;           ///< default 5
    bool nesterov;              ///< default true
    double rms_rate;            ///< default 0.2; INFINITY: no factor for the shape
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_muon_args;
/** The defaults of cj_muon_args. */
#define CJ_MUON_DEFAULTS                                                                           \
    CJ_OPTIMIZER_DEFAULTS(cj_muon_args, "muon"),                                                   \
        .weight_decay = 0.004, .learning_rate = 0.001, .adam_beta_1 = 0.9, .adam_beta_2 = 0.999,   \
        .adam_weight_decay = 0.004, .epsilon = 1e-7, .exclude_embeddings = true, .muon_a = 3.4445, \
        .muon_b = -4.775, .muon_c = 2.0315, .adam_lr_ratio = 1, .momentum = 0.95, .ns_steps = 5,   \
        .nesterov = true, .rms_rate = 0.2
/** Sets `args` to CJ_MUON_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_muon_defaults(cj_muon_args *args);
/** Orthogonal steps for matrices, AdamW for the rest. */
CJ_API cj_optimizer *cj_muon_new(const cj_muon_args *args);
#define cj_muon(...) cj_muon_new(&(cj_muon_args){CJ_MUON_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * ScheduleFreeAdamW (Defazio et al. 2024): AdamW without a schedule. With v as Adam's and t the number of
 * the step: z -= learning_rate min(1, t / warmup_steps) g / (sqrt(v / (1 - beta_2^t)) + epsilon); of
 * the weights w = (1 - beta_1) z + beta_1 x, x becomes (1 - 1/t) x + z / t. z begins as the weights.
 */
typedef struct cj_schedule_free_adamw_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.0025
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-8
    int64_t warmup_steps; ///< default 0
    CJ_OPTIMIZER_LATER_MEMBERS
} cj_schedule_free_adamw_args;
/** The defaults of cj_schedule_free_adamw_args. */
#define CJ_SCHEDULE_FREE_ADAMW_DEFAULTS                                        \
    CJ_OPTIMIZER_DEFAULTS(cj_schedule_free_adamw_args, "schedule_free_adamw"), \
        .learning_rate = 0.0025, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-8
/** Sets `args` to CJ_SCHEDULE_FREE_ADAMW_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_schedule_free_adamw_defaults(cj_schedule_free_adamw_args *args);
/** Adam that averages its own path. */
CJ_API cj_optimizer *cj_schedule_free_adamw_new(const cj_schedule_free_adamw_args *args);
#define cj_schedule_free_adamw(...) \
    cj_schedule_free_adamw_new(     \
        &(cj_schedule_free_adamw_args){CJ_SCHEDULE_FREE_ADAMW_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * An optimizer from a spec: "adam", "sgd(learning_rate=0.1, momentum=0.9)". Fails as the
 * constructors do.
 */
CJ_API cj_optimizer *cj_optimizer_from_spec(const char *spec);

/**
 * What stands for "no optimizer given" in cj_compile_args: cj_compile() makes a cj_rmsprop(), as in
 * Keras. It is known by its address and of no other use.
 */
CJ_API extern cj_optimizer cj_default_optimizer;

#ifdef __cplusplus
}
#endif
#endif
