"""Writes a C program that checks every arguments struct of the public headers: its macro of defaults, its function of
defaults and its table of fields agree; 0 and false are taken as 0 and false; a shorter struct of an older program has
the defaults for the rest; a struct without a size is refused."""
import sys

from declarations import functions, structs

# What a maker cannot do without.
NEEDED = {
    "spatial_dropout": ".rate = 0.5", "permute": ".dims = {1}", "repeat_vector": ".n = 2",
    "adaptive_pooling1d": ".output_size = 2", "adaptive_pooling2d": ".output_size = {2}", "adaptive_pooling3d": ".output_size = {2}",
    "gaussian_noise": ".stddev = 0.5", "gaussian_dropout": ".rate = 0.5", "alpha_dropout": ".rate = 0.5",
    "layer_scale": ".projection_dim = 3", "stochastic_depth": ".drop_path_rate = 0.5", "custom_scale_layer": ".scale = 0.5",
    "group_query_attention": ".head_dim = 2, .num_query_heads = 4, .num_key_value_heads = 2",
    "backup_and_restore": '.backup_dir = "x"',
    "input": ".shape = {3}", "rescaling": ".scale = 2", "dense": ".units = 3",
    "conv2d": ".filters = 2, .kernel_size = {3}", "reshape": ".target_shape = {2}",
    "activation": '.activation = "relu"', "embedding": ".input_dim = 4, .output_dim = 2", "reversible_embedding": ".input_dim = 4, .output_dim = 2",
    "dot": ".axes = {1}", "conv1d": ".filters = 2, .kernel_size = 3", "conv3d": ".filters = 2, .kernel_size = {3}",
    "conv1d_transpose": ".filters = 2, .kernel_size = 3", "conv2d_transpose": ".filters = 2, .kernel_size = {3}",
    "conv3d_transpose": ".filters = 2, .kernel_size = {3}",
    "depthwise_conv1d": ".kernel_size = 3", "depthwise_conv2d": ".kernel_size = {3}",
    "separable_conv1d": ".filters = 2, .kernel_size = 3", "separable_conv2d": ".filters = 2, .kernel_size = {3}",
    "einsum_dense": '.equation = "ab,bc->ac", .output_shape = {2}',
    "multi_head_attention": ".num_heads = 2, .key_dim = 2",
    "bidirectional": ".layer = cj_lstm(2)", "time_distributed": ".layer = cj_dense(2)", "spectral_normalization": ".layer = cj_dense(2)",
    "simple_rnn_cell": ".units = 2", "lstm_cell": ".units = 2", "gru_cell": ".units = 2",
    "rnn": ".cell = cj_gru_cell(2)", "stacked_rnn_cells": ".cells = {cj_gru_cell(2)}",
    "cell": ".state_sizes = {2}, .step = no_step",
    "conv_lstm1d": ".filters = 2, .kernel_size = 3", "conv_lstm2d": ".filters = 2, .kernel_size = {3}",
    "conv_lstm3d": ".filters = 2, .kernel_size = {3}",
    "simple_rnn": ".units = 2", "lstm": ".units = 2", "gru": ".units = 2",
    "hashing": ".num_bins = 3", "hashed_crossing": ".num_bins = 3", "category_encoding": ".num_tokens = 4", "discretization": ".num_bins = 4",
    "resizing": ".height = 2, .width = 2", "center_crop": ".height = 2, .width = 2",
    "random_translation": ".height_factor = 0.1, .width_factor = 0.1", "random_rotation": ".factor = 0.1",
    "random_zoom": ".height_factor = 0.1, .width_factor = 0.1", "random_crop": ".height = 2, .width = 2",
    "random_contrast": ".factor = 0.1", "random_brightness": ".factor = 0.1",
    "random_color_jitter": ".brightness_factor = 0.1, .contrast_factor = 0.1, .saturation_factor = 0.1, .hue_factor = 0.1",
    "random_hue": ".factor = 0.1", "random_saturation": ".factor = 0.1", "random_color_degeneration": ".factor = 0.1",
    "random_sharpness": ".factor = 0.1", "random_posterization": ".factor = 3",
    "lif": ".beta = 0.9", "leaky_integrator": ".beta = 0.9", "cuba_lif": ".beta = 0.9, .alpha = 0.8",
    "alpha_lif": ".beta = 0.8, .alpha = 0.9", "lapicque": ".beta = 0.9", "alif": ".beta = 0.9, .rho = 0.8",
    "spiking_cell": ".layer = cj_lif(0.9), .shape = {2}",
    "recurrent_model": ".layer = step_layer(), .states = 1",
    "delay": ".steps = 2", "rate_code": ".steps = 3", "latency_code": ".steps = 3", "population_code": ".neurons = 2",
    "csv_logger": '.filename = "log.csv"', "model_checkpoint": '.filepath = "x"',
}
# Members that a sentence calls by Keras's key.
KEYS = {"factors": "size", "scales": "scale", "offsets": "offset"}
SCALARS = {"bool": "false", "double": "0", "int": "0", "int64_t": "0"}

HEAD = """// Written by tests/headers/make_args.py: do not change.
#include "layers/layer.h"
#include "train/optimizer.h"
#include "support.h"
#include <cajal.h>
#include <string.h>

// A struct whose rest is not the caller's: it is filled with bytes that nobody should read.
static void shorten(void *args, size_t size, size_t whole)
{
    memset((char *)args + size, 0x5a, whole - size);
    memcpy(args, &size, sizeof size);
}

static cj_status no_step(void *context, const cj_cell_step *step)
{
    (void)context, (void)step;
    return CJ_OK;
}

static cj_layer *step_layer(void)
{
    cj_symbol *x = cj_input_symbol(1, 2), *y = cj_apply(cj_dense(2), x), *h = cj_input_symbol(1, 2);
    return cj_model_layer(cj_functional(.inputs = {x, h}, .outputs = {y, cj_merge(cj_add(), y, h)}));
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

"""


def comparison(struct):
    """A function that tells whether two structs have the same settings: addresses of texts may differ."""
    body = f"static bool same_{struct.name}(const void *first, const void *second)\n{{\n"
    body += f"    const {struct.type} *a = first, *b = second;\n    bool same = true;\n"
    for m in struct.members:
        if m.type == "const char *" and not m.length:
            body += f"    same = same && same_text(a->{m.name}, b->{m.name});\n"
        else:
            body += f"    same = same && memcmp(&a->{m.name}, &b->{m.name}, sizeof a->{m.name}) == 0;\n"
    return body + "    return same;\n}\n\n"


def scalars(struct):
    names = [m.name for m in struct.members]
    own = struct.members[names.index("_") + 1:]
    common = [m for m in struct.members[:names.index("_")] if m.name not in ("size", "reserved")]
    return [m for m in common + own if m.type in SCALARS and not m.length]


def maker(struct, makers):
    """The function, and how its object shows the resolved arguments."""
    for function in makers:
        if function.result in ("cj_layer *", "cj_optimizer *"):
            return function
    return None


def main(path):
    makers = {}
    for function in functions():
        if function.name.endswith("_new") and len(function.parameters) == 1 and \
                function.parameters[0].type.startswith("const cj_") and function.parameters[0].name == "args":
            makers.setdefault(function.parameters[0].type[len("const cj_"):-len("_args *")], []).append(function)
    out, tests = [HEAD], []

    def test(name, body):
        out.append(f"static void {name}(void **state)\n{{\n    (void)state;\n{body}}}\n\n")
        tests.append(name)

    for s in structs():
        out.append(comparison(s))
        made = makers.get(s.name, [])
        needed = NEEDED.get(s.name)
        full = s.defaults + (", " + needed if needed else "")
        body = f"    const {s.type} standard = {{{s.defaults}}};\n    {s.type} args;\n"
        body += f"    memset(&args, 0, sizeof args);\n    cj_{s.name}_defaults(&args);\n"
        body += f"    assert_true(same_{s.name}(&args, &standard));\n"
        body += f"    cj_{s.name}_defaults(NULL);\n    assert_int_equal(args.size, sizeof args);\n"
        body += f"    assert_int_equal(offsetof({s.type}, size), 0);\n"
        for f in made:
            plain = f.name[3:-4]
            choice = {"cj_layer *": f"&cj__layer_{plain}.choice",
                      "cj_optimizer *": f'cj__catalog_find(&cj__optimizers, "{plain}")'}.get(f.result)
            if choice and f.name not in ("cj_sequential_new", "cj_loss_scale_optimizer_new"):
                body += f"    const cj__choice *{plain} = {choice};\n"
                body += f"    assert_int_equal({plain}->args_size, sizeof args);\n"
                body += f"    assert_true(same_{s.name}({plain}->defaults, &standard));\n"
        test(f"{s.name}_has_its_defaults_once", body)
        for f in made:
            plain = f.name[3:-4]
            body = f"    {s.type} args = {{{s.defaults}}};\n"
            for size in ("0", "3", "SIZE_MAX", "sizeof args - 1", "2 * sizeof(size_t) + 1"):
                body += f"    args.size = {size};\n    assert_null({f.name}(&args));\n"
                body += '    assert_error_contains("size");\n'
            test(f"{plain}_without_a_size_is_refused", body)
            if f.result not in ("cj_layer *", "cj_optimizer *") or plain in ("sequential", "stacked_rnn_cells", "loss_scale_optimizer"):  # a layer that failed before ends their lists
                continue
            what = "layer" if f.result == "cj_layer *" else "optimizer"
            held = f"((const {s.type} *)(const void *)made->args)"
            body = ""
            for m in scalars(s):
                body += f"    {{\n        {s.type} args = {{{full}}};\n        args.{m.name} = {SCALARS[m.type]};\n"
                body += f"        cj_{what} *made = {f.name}(&args);\n        if (made)\n"
                body += f"            assert_true({held}->{m.name} == 0);\n        else\n"
                body += f'            assert_error_contains("{KEYS.get(m.name, m.name)}");\n        cj_release(made);\n    }}\n'
            test(f"{plain}_takes_zero_as_zero", body)
            body = ""
            names = [m.name for m in s.members]
            required = [n.split("=")[0].strip(" .") for n in needed.split(", .")] if needed else []
            first = max([names.index(n) for n in required if n in names] + [names.index("_")]) + 1
            for m in s.members[first:]:
                body += f"    {{\n        {s.type} args = {{{full}}};\n"
                body += f"        shorten(&args, offsetof({s.type}, {m.name}), sizeof args);\n"
                body += f"        cj_{what} *made = {f.name}(&args);\n"
                body += f"        if (offsetof({s.type}, {m.name}) % sizeof(size_t) == 0)\n"
                body += "            assert_non_null(made);\n        else\n            assert_null(made); // no sizeof\n"
                body += "        if (made) {\n"
                body += f"        const {s.type} standard = {{{s.defaults}}};\n"
                for later in s.members[names.index(m.name):]:
                    if later.type in SCALARS and not later.length:
                        body += f"        assert_true({held}->{later.name} == standard.{later.name});\n"
                    elif later.type == "const char *":
                        body += f"        assert_true(!{held}->{later.name} == !standard.{later.name});\n"
                body += "        (void)standard;\n        }\n        cj_release(made);\n    }\n"
            if body:
                test(f"{plain}_of_an_older_program_has_the_defaults", body)
    out.append("int main(void)\n{\n    const struct CMUnitTest tests[] = {\n")
    out.extend(f"        cmocka_unit_test({name}),\n" for name in tests)
    out.append("    };\n    return cmocka_run_group_tests(tests, NULL, NULL);\n}\n")
    with open(path, "w") as file:
        file.write("".join(out))


main(sys.argv[1])
