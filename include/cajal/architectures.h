/**
 * @file architectures.h
 * Well-known networks by name, as functional or sequential models with fresh weights. Each has as
 * many parameters as its paper or its usual implementation says.
 */
#ifndef CAJAL_ARCHITECTURES_H
#define CAJAL_ARCHITECTURES_H

#include <cajal/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_architecture(). */
typedef struct cj_architecture_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /** of one sample, without the batch axis, ended by 0; default {0}: the paper's own */
    int64_t input_shape[CJ_MAX_RANK];
    int64_t classes;         ///< units of the last layer; default 0: the paper's own
    const char *input_dtype; ///< default "float32"; "uint8" is scaled to 0..1 inside the model
} cj_architecture_args;
/** The defaults of cj_architecture_args. */
#define CJ_ARCHITECTURE_DEFAULTS .size = sizeof(cj_architecture_args), .input_dtype = "float32"
/** Sets `args` to CJ_ARCHITECTURE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_architecture_defaults(cj_architecture_args *args);
/**
 * A model by name. Its last layer is a softmax over `classes`. gpt and gpt2 have two inputs of int32,
 * the tokens and their positions 0, 1, ..., and give for each token the probabilities of the next;
 * `input_shape` is their number, `classes` how many kinds of tokens there are. With other shapes or classes than the
 * paper's the number of parameters is another one.
 *
 * | name | input, classes | trainable parameters | source |
 * |---|---|---|---|
 * | lenet5 | 32x32x1, 10 | 61,706 | LeCun et al. 1998, with full connections in C3 |
 * | alexnet | 224x224x3, 1000 | 61,100,840 | Krizhevsky 2014, "One weird trick" |
 * | vgg11 | 224x224x3, 1000 | 132,863,336 | Simonyan and Zisserman 2015, A |
 * | vgg16 | 224x224x3, 1000 | 138,357,544 | the same, D |
 * | vgg19 | 224x224x3, 1000 | 143,667,240 | the same, E |
 * | googlenet | 224x224x3, 1000 | 6,998,552 | Szegedy et al. 2015, without auxiliary classifiers |
 * | resnet18 | 224x224x3, 1000 | 11,689,512 | He et al. 2016, table 1 |
 * | resnet34 | 224x224x3, 1000 | 21,797,672 | the same |
 * | resnet50 | 224x224x3, 1000 | 25,557,032 | the same, strides in the 3x3 convolutions |
 * | resnet20 | 32x32x3, 10 | 269,722 | the same, section 4.2, shortcuts without parameters |
 * | mobilenet_v1 | 224x224x3, 1000 | 4,231,976 | Howard et al. 2017, width 1 |
 * | gpt | 128 tokens, 256 | 875,264 | the next one in small, over bytes, with a last layer of its own |
 * | gpt2 | 1024 tokens, 50257 | 124,439,808 | Radford et al. 2019, the smallest; its last layer has the
 *   table of the first one |
 *
 * @param name one of the table
 * @return a floating model; NULL with CJ_NOT_FOUND (no such name), CJ_INVALID_ARGUMENT (NULL, a
 *         negative length, classes below 0, a dtype other than "float32" and "uint8"),
 *         CJ_SHAPE_MISMATCH (an input too small for the network) or CJ_OUT_OF_MEMORY.
 *
 * May be called by several threads at once.
 */
CJ_API cj_model *cj_architecture_new(const char *name, const cj_architecture_args *args);
/** `cj_architecture("resnet20", .classes = 100)`. */
#define cj_architecture(...)      \
    cj_architecture_new(          \
        CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_architecture_args){CJ_ARCHITECTURE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The name of architecture `index`, from 0; NULL past the last. */
CJ_API const char *cj_architecture_name(int index);
/** What it is, in a line; NULL past the last. */
CJ_API const char *cj_architecture_meaning(int index);

#ifdef __cplusplus
}
#endif
#endif
