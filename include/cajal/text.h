/**
 * @file text.h
 * Texts, and the layers that make numbers of them: TextVectorization, StringLookup, IntegerLookup,
 * Hashing, HashedCrossing.
 *
 * Texts are tensors of dtype CJ_STRING: bytes of any kind and length, usually UTF-8. They are data as
 * any other: a data set has them, cj_fit(), cj_evaluate() and cj_predict() take them where the model's
 * input is `cj_input(1, .dtype = "string")`, and the first layer makes numbers of them:
 *
 *     cj_tensor *texts, *labels;                                  // (n, 1) and (n)
 *     cj_layer *words = cj_text_vectorization(.max_tokens = 10000, .output_sequence_length = 200);
 *     CJ_TRY(cj_adapt(words, texts));                             // learns the vocabulary
 *     cj_model *model = cj_sequential(cj_input(1, .dtype = "string"), words,
 *                                     cj_embedding(10000, 64), cj_bidirectional(cj_gru(64)),
 *                                     cj_dense(1, .activation = "sigmoid"));
 *
 * The vocabulary is part of the model and of its file. cj_vectorize() applies such a layer outside of
 * a model. What layers.h says of arguments, shapes and failures holds here too. Indices are int32
 * where Keras has int64. Texts are standardized as TensorFlow does it for Keras: "lower" makes the
 * letters A to Z small and leaves all others alone; white space and punctuation are those of ASCII.
 * Bytes that are no UTF-8 stay as they are; split into characters they become U+FFFD.
 */
#ifndef CAJAL_TEXT_H
#define CAJAL_TEXT_H

#include <cajal/data.h>
#include <cajal/layers.h>
#include <cajal/numbers.h>
#include <cajal/texts.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The lines of a file as texts (n, 1), without their ends ("\n" or "\r\n"); what follows the last end
 * counts if it is not empty. CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE (it has no line),
 * CJ_INVALID_ARGUMENT (NULL), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_lines(const char *path, cj_tensor **lines);

/** The arguments of cj_load_texts(). */
typedef struct cj_load_texts_args {
    size_t size;             ///< bytes of the struct
    int _;                   ///< what follows may be given by position
    bool shuffle;            ///< default true: in an order drawn from `seed`; false: as in the file
    uint64_t seed;           ///< default 0
    double validation_split; ///< default 0: the share, below 1, that goes to the second data set
} cj_load_texts_args;
/** The defaults of cj_load_texts_args. */
#define CJ_LOAD_TEXTS_DEFAULTS .size = sizeof(cj_load_texts_args), .shuffle = true
/** Sets `args` to CJ_LOAD_TEXTS_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_load_texts_defaults(cj_load_texts_args *args);
/**
 * Labelled texts: a file of lines "LABEL TAB TEXT". The data sets hold texts (samples, 1) and int32
 * (samples), the number of the class. Classes are the labels in order of bytes, or of their values if
 * all are whole numbers from 0; cj_dataset_class_name() (folders.h) has them. Empty lines are passed
 * over; a text may be empty.
 *
 * `*train` and `*validation` receive new data sets, to be released; `validation` may be NULL if
 * validation_split is 0, and gets NULL then. CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE (no lines, or one
 * without a tab, by its number), CJ_INVALID_ARGUMENT (NULL, a share that is none or leaves nothing),
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_texts_with(const char *path, cj_dataset **train, cj_dataset **validation,
                                    const cj_load_texts_args *args);
/** `cj_load_texts("reviews.tsv", &train, &validation, .validation_split = 0.2)`. */
#define cj_load_texts(path, train, ...)        \
    cj_load_texts_with(                        \
        path, train, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_load_texts_args){CJ_LOAD_TEXTS_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * Applies a layer of this header to a tensor outside of a model, as Keras does by calling it:
 * texts, or whole numbers for IntegerLookup and Hashing. A TextVectorization without
 * `output_sequence_length` makes rows as long as the longest text here.
 *
 * @param layer one of TextVectorization, StringLookup, IntegerLookup, Hashing
 * @param input (n), (n, 1), or what the layer says
 * @param output a new tensor of the result, released by the caller
 *
 * CJ_NOT_BUILT (no vocabulary yet), CJ_INVALID_ARGUMENT (another layer, what is not in the vocabulary
 * where nothing else is taken, NULL), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY. Several threads may use one
 * layer.
 */
CJ_API cj_status cj_vectorize(cj_layer *layer, const cj_tensor *input, cj_tensor **output);

/**
 * Gives a TextVectorization or StringLookup its vocabulary, in place of an adapt: Keras's
 * `set_vocabulary()`. The tokens, each once, may be preceded by the mask's and the unknown's, as
 * cj_vocabulary_token() gives them. `idf_weights` as many, for "tf_idf" only, else {0}.
 * CJ_INVALID_ARGUMENT as the setting `vocabulary`, and where the layer has been used already;
 * CJ_OUT_OF_MEMORY. On failure the layer is as it was.
 */
CJ_API cj_status cj_set_vocabulary(cj_layer *layer, cj_texts vocabulary, cj_numbers idf_weights);

/**
 * The number of indices that a TextVectorization, StringLookup or IntegerLookup gives: those of its
 * tokens, of the mask and of the unknown. 0 for other layers, and NULL.
 */
CJ_API int64_t cj_vocabulary_size(const cj_layer *layer);

/**
 * The token with that index in a TextVectorization or StringLookup, that of the mask or the unknown
 * among them. The layer's; valid until its vocabulary changes. NULL for an index out of range, other
 * layers, and NULL.
 */
CJ_API const char *cj_vocabulary_token(const cj_layer *layer, int64_t index);

/**
 * TextVectorization: texts as indices of their tokens, or as counts
 * (keras/src/layers/preprocessing/text_vectorization.py). Index 0 is for what is filled up, 1 for
 * tokens that are not in the vocabulary ("[UNK]"); in other modes 0 is for these.
 *
 * The vocabulary is given, or learnt by cj_adapt(): the most frequent tokens, of equally frequent ones
 * those that come later in the order of bytes. Tokens that are no UTF-8, or contain a 0, are not learnt,
 * because no file could hold them; so they stay unknown.
 */
typedef struct cj_text_vectorization_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    int64_t
        max_tokens; ///< most indices, those of the mask and the unknown among them; default -1: any
    /** "lower_and_strip_punctuation" (default), "lower", "strip_punctuation", or NULL for none */
    const char *standardize;
    /** "whitespace" (default), "character", or NULL: the text is one token */
    const char *split;
    /** widths, ended by 0: {1, 2} is tokens and pairs of them with a space between, in Keras
     * `ngrams=2`; {2} pairs alone, in Keras `ngrams=(2,)`. At most 8. Default {0}: tokens */
    int64_t ngrams[CJ_MAX_RANK];
    /** "int" (default), "multi_hot", "count" or "tf_idf" */
    const char *output_mode;
    int64_t output_sequence_length; ///< with "int": indices a text; default -1; needed in a model
    bool pad_to_max_tokens;         ///< default false; other modes: max_tokens entries a text
    cj_texts vocabulary;            ///< default none: from cj_adapt(); in UTF-8, each token once
    cj_numbers idf_weights;         ///< with "tf_idf": one for each token of `vocabulary`
} cj_text_vectorization_args;
/** The defaults of cj_text_vectorization_args. */
#define CJ_TEXT_VECTORIZATION_DEFAULTS                                                         \
    CJ_LAYER_DEFAULTS(cj_text_vectorization_args),                                             \
        .max_tokens = -1, .standardize = "lower_and_strip_punctuation", .split = "whitespace", \
        .output_mode = "int", .output_sequence_length = -1
/** Sets `args` to CJ_TEXT_VECTORIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_text_vectorization_defaults(cj_text_vectorization_args *args);
/**
 * Texts (1) or () become (output_sequence_length) in int32, or (cj_vocabulary_size()) in float32.
 * Without `split` a sample may have up to 64 texts. No gradient passes back.
 * `cj_text_vectorization(.max_tokens = 10000, .output_sequence_length = 200)`.
 */
CJ_API cj_layer *cj_text_vectorization_new(const cj_text_vectorization_args *args);
#define cj_text_vectorization(...) \
    cj_text_vectorization_new(     \
        &(cj_text_vectorization_args){CJ_TEXT_VECTORIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * StringLookup: each text as its index in a vocabulary, or with `invert` each index as its text
 * (keras/src/layers/preprocessing/string_lookup.py). The indices are those of the mask, if there is one
 * and the mode is "int", then num_oov_indices for texts that are not in the vocabulary, then the
 * vocabulary's. Learnt by cj_adapt() as by TextVectorization; an axis before the last is of documents.
 */
typedef struct cj_string_lookup_args {
    CJ_LAYER_MEMBERS
    int _;              ///< what follows may be given by position
    int64_t max_tokens; ///< most indices in all; default -1: any
    /** for what is not in the vocabulary, chosen by a hash; default 1; 0: it fails the run */
    int64_t num_oov_indices;
    const char
        *mask_token;       ///< a text of its own index 0, or left out of counts; default NULL: none
    const char *oov_token; ///< of indices for which there is no text; default "[UNK]"
    cj_texts vocabulary;   ///< default none: from cj_adapt(); in UTF-8, each once
    cj_numbers idf_weights; ///< with "tf_idf": one for each token of `vocabulary`
    bool invert;            ///< default false
    /** "int" (default), "one_hot", "multi_hot", "count" or "tf_idf" */
    const char *output_mode;
    bool pad_to_max_tokens; ///< default false; other modes: max_tokens entries
    int64_t salt[2];        ///< of the hash; default {-1}: none
} cj_string_lookup_args;
/** The defaults of cj_string_lookup_args. */
#define CJ_STRING_LOOKUP_DEFAULTS                                                         \
    CJ_LAYER_DEFAULTS(cj_string_lookup_args), .max_tokens = -1, .num_oov_indices = 1,     \
                                              .oov_token = "[UNK]", .output_mode = "int", \
                                              .salt = {-1, -1}
/** Sets `args` to CJ_STRING_LOOKUP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_string_lookup_defaults(cj_string_lookup_args *args);
/**
 * Any shape, which stays, in int32, or with `invert` in texts. "one_hot" adds an axis of
 * cj_vocabulary_size() entries, in place of a last one of length 1; the others put it in place of the
 * last axis, of which there must be one. No gradient passes back.
 */
CJ_API cj_layer *cj_string_lookup_new(const cj_string_lookup_args *args);
#define cj_string_lookup(...) \
    cj_string_lookup_new(&(cj_string_lookup_args){CJ_STRING_LOOKUP_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * IntegerLookup: StringLookup for whole numbers from -2^53 to 2^53
 * (keras/src/layers/preprocessing/integer_lookup.py).
 */
typedef struct cj_integer_lookup_args {
    CJ_LAYER_MEMBERS
    int _;                   ///< what follows may be given by position
    int64_t max_tokens;      ///< most indices in all; default -1: any
    int64_t num_oov_indices; ///< for what is not in the vocabulary; default 1; 0: it fails the run
    double mask_token;       ///< a number of its own index 0, or left out; default INFINITY: none
    double oov_token;        ///< of indices for which there is no number; default -1
    cj_numbers vocabulary;   ///< default none: from cj_adapt(); each once
    cj_numbers idf_weights;  ///< with "tf_idf": one for each number of `vocabulary`
    bool invert;             ///< default false
    /** "int" (default), "one_hot", "multi_hot", "count" or "tf_idf" */
    const char *output_mode;
    bool pad_to_max_tokens; ///< default false; other modes: max_tokens entries
    /** how several indices for unknown numbers are chosen: "floormod" (default) or "farmhash" */
    const char *oov_method;
    int64_t salt[2]; ///< of "farmhash"; default {-1}: none
} cj_integer_lookup_args;
/** The defaults of cj_integer_lookup_args. */
#define CJ_INTEGER_LOOKUP_DEFAULTS                                                       \
    CJ_LAYER_DEFAULTS(cj_integer_lookup_args),                                           \
        .max_tokens = -1, .num_oov_indices = 1, .mask_token = INFINITY, .oov_token = -1, \
        .output_mode = "int", .oov_method = "floormod", .salt = {-1, -1}
/** Sets `args` to CJ_INTEGER_LOOKUP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_integer_lookup_defaults(cj_integer_lookup_args *args);
/** As StringLookup; with `invert` the result is int64. */
CJ_API cj_layer *cj_integer_lookup_new(const cj_integer_lookup_args *args);
#define cj_integer_lookup(...) \
    cj_integer_lookup_new(     \
        &(cj_integer_lookup_args){CJ_INTEGER_LOOKUP_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Hashing: each text or whole number as one of num_bins bins, by FarmHash's Fingerprint64, or with a
 * salt by SipHash-2-4 (keras/src/layers/preprocessing/hashing.py). Numbers are hashed as their digits.
 */
typedef struct cj_hashing_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    int64_t num_bins;       ///< required, positive
    const char *mask_value; ///< a text that has bin 0 for itself; default NULL: none
    int64_t salt[2];        ///< default {-1}: none; Keras's one number stands twice: {133, 133}
    /** "int" (default); else "one_hot", "multi_hot" or "count" as StringLookup */
    const char *output_mode;
    double mask_number; ///< for inputs of numbers: mask_value, which is one; default INFINITY: none
} cj_hashing_args;
/** The defaults of cj_hashing_args. */
#define CJ_HASHING_DEFAULTS                                                     \
    CJ_LAYER_DEFAULTS(cj_hashing_args), .salt = {-1, -1}, .output_mode = "int", \
                                        .mask_number = INFINITY
/** Sets `args` to CJ_HASHING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_hashing_defaults(cj_hashing_args *args);
/** Any shape, which stays, in int32; other modes as StringLookup. `cj_hashing(1000)`. */
CJ_API cj_layer *cj_hashing_new(const cj_hashing_args *args);
#define cj_hashing(...) cj_hashing_new(&(cj_hashing_args){CJ_HASHING_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * HashedCrossing: what stands at one place in two or more inputs as one of num_bins bins
 * (keras/src/layers/preprocessing/hashed_crossing.py).
 */
typedef struct cj_hashed_crossing_args {
    CJ_LAYER_MEMBERS
    int _;                   ///< what follows may be given by position
    int64_t num_bins;        ///< required, positive
    const char *output_mode; ///< "int" (default) or "one_hot"
} cj_hashed_crossing_args;
/** The defaults of cj_hashed_crossing_args. */
#define CJ_HASHED_CROSSING_DEFAULTS CJ_LAYER_DEFAULTS(cj_hashed_crossing_args), .output_mode = "int"
/** Sets `args` to CJ_HASHED_CROSSING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_hashed_crossing_defaults(cj_hashed_crossing_args *args);
/** Inputs () or (1) of texts or whole numbers, all of one shape, which stays, in int32; by "one_hot"
 * (num_bins). */
CJ_API cj_layer *cj_hashed_crossing_new(const cj_hashed_crossing_args *args);
#define cj_hashed_crossing(...) \
    cj_hashed_crossing_new(     \
        &(cj_hashed_crossing_args){CJ_HASHED_CROSSING_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
