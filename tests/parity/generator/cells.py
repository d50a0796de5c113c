"""RNN over cells, stacks of cells, and ConvLSTM: cases as those of layers.py, with its parts."""

from keras import layers as L

from .layers import Builder
from .store import Fixture

CELLS = {"rnn": L.SimpleRNNCell, "lstm": L.LSTMCell, "gru": L.GRUCell}


def cells(b):
    for kind, cell in CELLS.items():
        b.one(f"cell_{kind}", L.RNN(cell(4)), (5, 3))
        b.one(f"cell_{kind}_sequences_state", L.RNN(cell(4), return_sequences=True, return_state=True), (5, 3))
        b.one(f"cell_{kind}_backwards_long", L.RNN(cell(3), go_backwards=True, return_sequences=True), (40, 2))
        b.one(f"cell_{kind}_settings", L.RNN(cell(4, activation="softsign", use_bias=False, kernel_regularizer="l2",
                                                  recurrent_regularizer="l1"), unroll=True), (5, 3))
        b.one(f"cell_{kind}_stacked", L.RNN(L.StackedRNNCells([cell(4), cell(3)]), return_sequences=True), (5, 2))
        b.one(f"cell_{kind}_stacked_state", L.RNN(L.StackedRNNCells([cell(2), cell(3)]), return_state=True), (4, 2))
        b.one(f"cell_{kind}_stacked_masked", lambda x, cell=cell: L.RNN(L.StackedRNNCells([cell(2), cell(3)]),
              return_sequences=True)(L.Embedding(4, 3, mask_zero=True)(x)), (6,), dtype="int32", batch=6, high=3)
        b.one(f"cell_{kind}_bi", L.Bidirectional(L.RNN(cell(3), return_sequences=True)), (5, 2))
        state = (4,)
        count = 2 if kind == "lstm" else 1
        b.merge(f"cell_{kind}_initial", lambda xs, cell=cell: L.RNN(cell(4))(xs[0], initial_state=list(xs[1:])), (5, 3),
                *[state] * count)
    b.one("cell_gru_before", L.RNN(L.GRUCell(4, reset_after=False)), (5, 3))
    b.one("cell_mixed_stack", L.RNN(L.StackedRNNCells([L.LSTMCell(4), L.GRUCell(3), L.SimpleRNNCell(2)]), return_sequences=True,
                                    return_state=True), (5, 2))
    b.one("cell_mixed_stack_long", L.RNN(L.StackedRNNCells([L.GRUCell(3), L.LSTMCell(2)])), (40, 2))
    b.one("cell_stack_bi", L.Bidirectional(L.RNN(L.StackedRNNCells([L.GRUCell(3), L.GRUCell(2)]))), (5, 2))


def conv_lstm(b):
    b.one("conv_lstm1d", L.ConvLSTM1D(3, 3), (4, 7, 2), batch=2)
    b.one("conv_lstm1d_same_sequences", L.ConvLSTM1D(2, 2, padding="same", strides=2, return_sequences=True), (4, 7, 2), batch=2)
    b.one("conv_lstm2d", L.ConvLSTM2D(3, 3), (4, 5, 6, 2), batch=2)
    b.one("conv_lstm2d_same", L.ConvLSTM2D(2, 3, padding="same", return_sequences=True), (3, 4, 5, 2), batch=2)
    b.one("conv_lstm2d_strides", L.ConvLSTM2D(2, (3, 2), strides=(2, 1), padding="same", return_state=True), (3, 5, 4, 1), batch=2)
    b.one("conv_lstm2d_dilation", L.ConvLSTM2D(2, 2, dilation_rate=2, return_sequences=True), (3, 5, 5, 1), batch=2)
    b.one("conv_lstm2d_backwards", L.ConvLSTM2D(2, 2, go_backwards=True, return_sequences=True), (3, 4, 4, 1), batch=2)
    b.one("conv_lstm2d_plain", L.ConvLSTM2D(2, 2, use_bias=False, activation="softsign", recurrent_activation="hard_sigmoid"),
          (3, 4, 4, 2), batch=2)
    b.one("conv_lstm2d_regularized", L.ConvLSTM2D(2, 2, kernel_regularizer="l2", recurrent_regularizer="l1",
                                                  bias_regularizer="l2", activity_regularizer="l2"), (3, 4, 4, 1), batch=2)
    b.one("conv_lstm2d_stacked", lambda x: L.ConvLSTM2D(2, 2)(L.ConvLSTM2D(3, 3, padding="same", return_sequences=True)(x)),
          (3, 4, 4, 1), batch=2)
    b.one("conv_lstm2d_long", L.ConvLSTM2D(2, 2), (36, 3, 3, 1), batch=2)
    b.one("conv_lstm2d_bi", L.Bidirectional(L.ConvLSTM2D(2, 2, return_sequences=True)), (3, 4, 4, 1), batch=2)
    b.one("conv_lstm3d", L.ConvLSTM3D(2, 2), (3, 3, 4, 3, 2), batch=2)
    b.one("conv_lstm3d_same_sequences_state", L.ConvLSTM3D(2, (2, 1, 3), padding="same", return_sequences=True,
                                                           return_state=True), (3, 3, 2, 3, 1), batch=2)


def make():
    fixture = Fixture("cells", "RNN over cells, StackedRNNCells, ConvLSTM: outputs, gradients, penalties", 2e-5, 1e-5,
                      "float32 sums of up to 200 products of magnitude 1 in another order")
    b = Builder(fixture)
    cells(b)
    conv_lstm(b)
    return [fixture]
