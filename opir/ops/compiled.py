"""The full-resolution tail of a stage in one pass, compiled by Numba: Eqs. 11 and 14–19 without tensors in between.

What `KernelPredictor.read_out`, `TaskModulator` and `filter_padded` do one after the other is done here for a few
hundred pixels at a time, which stay in the first cache of a CPU. Import it only if Numba is installed. All is in one
file, because Numba compiles a function anew only when the file of that function changes.

C features, h and w rows and columns of features (half of the image's), O outputs of a corner (kernels, then scales),
J hidden values, S scales. Inputs and outputs of matrix products are padded with zeros to multiples of `MULTIPLE`.
"""

from functools import partial
from typing import Any

import numpy as np
from numba import njit

MULTIPLE = 4
"""Matrix products are computed for so many inputs and outputs at a time."""
_BLOCK = 256  # columns of features at a time
_U, _F, _I = np.uint64, np.float32, np.int32  # unsigned indices can not be negative, so that loops are vectorised
_TAPS, _COLOURS = 9, 3
_FAST: dict[str, Any] = {"fastmath": {"nsz", "contract", "reassoc", "arcp"}, "nogil": True, "error_model": "numpy"}


def _compiled(function, signature=None):  # type: ignore[no-untyped-def]
    """Compile once for a machine; or in each process, if neither this folder nor the user's can be written to."""
    try:
        return njit(signature, cache=True, **_FAST)(function)
    except RuntimeError:
        return njit(signature, **_FAST)(function)


@njit(inline="always", **_FAST)
def _exp(x):  # type: ignore[no-untyped-def]
    """Return e^x with a relative error of 1e-7 (the polynomial of Cephes), in operations that can be vectorised."""
    x = min(max(x, _F(-80)), _F(80))
    power = np.floor(x * _F(1.4426950408889634) + _F(0.5))
    rest = x - power * _F(0.693359375) + power * _F(2.12194440e-4)
    value = _F(1.9875691500e-4)
    value = value * rest + _F(1.3981999507e-3)
    value = value * rest + _F(8.3334519073e-3)
    value = value * rest + _F(4.1665795894e-2)
    value = value * rest + _F(1.6666665459e-1)
    value = value * rest + _F(5.0000001201e-1)
    value = value * rest * rest + rest + _F(1)
    return value * _I((_I(power) + _I(127)) << _I(23)).view(np.float32)


@njit(inline="always", **_FAST)
def _log(x):  # type: ignore[no-untyped-def]
    """Return the natural logarithm of a positive number to 1e-7 (Cephes)."""
    bits = np.float32(x).view(np.int32)
    exponent = _F(((bits >> _I(23)) & _I(255)) - _I(126))
    mantissa = _I((bits & _I(0x007FFFFF)) | _I(0x3F000000)).view(np.float32)
    small = mantissa < _F(0.70710678)
    exponent = exponent - (_F(1) if small else _F(0))
    rest = mantissa + mantissa - _F(1) if small else mantissa - _F(1)
    square = rest * rest
    value = _F(7.0376836292e-2)
    value = value * rest - _F(1.1514610310e-1)
    value = value * rest + _F(1.1676998740e-1)
    value = value * rest - _F(1.2420140846e-1)
    value = value * rest + _F(1.4249322787e-1)
    value = value * rest - _F(1.6668057665e-1)
    value = value * rest + _F(2.0000714765e-1)
    value = value * rest - _F(2.4999993993e-1)
    value = value * rest + _F(3.3333331174e-1)
    value = value * rest * square + exponent * _F(-2.12194440e-4) - _F(0.5) * square
    return rest + value + exponent * _F(0.693359375)


@_compiled
def _mix(weight, bias, source, target, columns):  # type: ignore[no-untyped-def]
    """Set target = weight · source + bias, by 4×4 weights at a time; rows of both are `_BLOCK` apart."""
    row, one, two, three = _U(_BLOCK), _U(1), _U(2), _U(3)
    outputs, inputs = _U(weight.shape[0]), _U(weight.shape[1])
    for j in range(_U(0), outputs, _U(MULTIPLE)):
        for x in range(_U(0), columns):
            target[j * row + x] = bias[j]
            target[(j + one) * row + x] = bias[j + one]
            target[(j + two) * row + x] = bias[j + two]
            target[(j + three) * row + x] = bias[j + three]
        for i in range(_U(0), inputs, _U(MULTIPLE)):
            a0, a1, a2, a3 = weight[j, i], weight[j, i + one], weight[j, i + two], weight[j, i + three]
            k = j + one
            b0, b1, b2, b3 = weight[k, i], weight[k, i + one], weight[k, i + two], weight[k, i + three]
            k = j + two
            c0, c1, c2, c3 = weight[k, i], weight[k, i + one], weight[k, i + two], weight[k, i + three]
            k = j + three
            d0, d1, d2, d3 = weight[k, i], weight[k, i + one], weight[k, i + two], weight[k, i + three]
            for x in range(_U(0), columns):
                s0, s1 = source[i * row + x], source[(i + one) * row + x]
                s2, s3 = source[(i + two) * row + x], source[(i + three) * row + x]
                target[j * row + x] += a0 * s0 + a1 * s1 + a2 * s2 + a3 * s3
                target[(j + one) * row + x] += b0 * s0 + b1 * s1 + b2 * s2 + b3 * s3
                target[(j + two) * row + x] += c0 * s0 + c1 * s1 + c2 * s2 + c3 * s3
                target[(j + three) * row + x] += d0 * s0 + d1 * s1 + d2 * s2 + d3 * s3


@_compiled
def _move(parts, size, right, down, target):  # type: ignore[no-untyped-def]
    """Set target to the first of four parts of this size, moved by ±1 times the third and ±1 times the fourth."""
    third, fourth = _U(2) * size, _U(3) * size
    for x in range(_U(0), size):
        target[x] = parts[x] + right * parts[third + x] + down * parts[fourth + x]


@_compiled
def _interleave(left, right, target, columns):  # type: ignore[no-untyped-def]
    for x in range(_U(0), columns):
        target[_U(2) * x] = left[x]
        target[_U(2) * x + _U(1)] = right[x]


@_compiled
def _operators(outputs, taps, scales, modulator, columns, hidden, made):  # type: ignore[no-untyped-def] # noqa: PLR0912
    """Make K·m, α and UM, `made`, of the outputs of one corner of each 2×2 pixels, which have a row more to use."""
    hidden_weight, hidden_bias, weight, bias = modulator
    kernels, blend, size = made
    row = _U(_BLOCK)
    for x in range(_U(0), columns):
        size[x] = _F(0)
    for t in range(_U(0), taps):
        for x in range(_U(0), columns):
            size[x] += abs(outputs[t * row + x])
    for x in range(_U(0), columns):
        size[x] *= _F(_TAPS) / _F(taps)
    for x in range(_U(0), columns):
        hidden[x] = _F(0)
    for s in range(_U(0), scales):
        for x in range(_U(0), columns):
            value = _exp(outputs[(taps + s) * row + x])
            hidden[x] += value
            blend[s * row + x] = value
    for s in range(_U(0), scales):
        for x in range(_U(0), columns):
            blend[s * row + x] /= hidden[x]
    if weight.shape[0] == 0:
        for x in range(_U(0), taps * row):
            kernels[x] = outputs[x]
        return
    for x in range(_U(0), columns):
        outputs[taps * row + x] = _log(max(size[x], _F(1e-3)))
    for t in range(taps + _U(1), _U(hidden_weight.shape[1])):
        for x in range(_U(0), columns):
            outputs[t * row + x] = _F(0)
    _mix(hidden_weight, hidden_bias, outputs, hidden, columns)
    for x in range(_U(0), _U(hidden_weight.shape[0]) * row):
        hidden[x] = max(hidden[x], _F(0))
    _mix(weight, bias, hidden, kernels, columns)
    for t in range(_U(0), taps):
        for x in range(_U(0), columns):
            kernels[t * row + x] = outputs[t * row + x] * (_F(4) / (_F(1) + _exp(-kernels[t * row + x])))


@_compiled
def _store(rows, planes, count, y, first, columns):  # type: ignore[no-untyped-def]
    """Copy rows that are 2·`_BLOCK` apart into row y of `count` planes."""
    for index in range(count):
        target, row = planes[index, y], _U(index) * _U(2 * _BLOCK)
        for x in range(_U(0), columns):
            target[first + x] = rows[row + x]


@_compiled
def _filter(padded, place, operators, scales, per_colour, columns, restored, target):  # type: ignore[no-untyped-def]
    """Filter `columns` pixels of `restored` from `target`, row and column, on; in `padded` the first lies at `place`.

    Operators are K·m and α. Their rows are 2·`_BLOCK` apart, and α has a multiple of four of them, those of no scale
    being 0.
    """
    kernels, blend = operators
    (top, left), (y, first) = place, target
    row, count, total = _U(2 * _BLOCK), len(scales), np.empty(2 * _BLOCK, np.float32)
    for colour in range(_COLOURS):
        base = _U(_TAPS * colour) if per_colour else _U(0)
        for x in range(_U(0), columns):
            total[x] = _F(0)
        for tap in range(_TAPS):
            down, right = tap // 3 - 1, tap % 3 - 1
            kernel = (base + _U(tap)) * row
            for s in range(0, count, 4):  # four at a time; a missing scale has the weight 0
                a, b, c = min(s + 1, count - 1), min(s + 2, count - 1), min(s + 3, count - 1)
                line0, start0 = padded[colour, top + scales[s] * down], _U(left + scales[s] * right)
                line1, start1 = padded[colour, top + scales[a] * down], _U(left + scales[a] * right)
                line2, start2 = padded[colour, top + scales[b] * down], _U(left + scales[b] * right)
                line3, start3 = padded[colour, top + scales[c] * down], _U(left + scales[c] * right)
                w0, w1, w2, w3 = _U(s) * row, _U(s + 1) * row, _U(s + 2) * row, _U(s + 3) * row
                for x in range(_U(0), columns):
                    total[x] += kernels[kernel + x] * (
                        blend[w0 + x] * line0[start0 + x]
                        + blend[w1 + x] * line1[start1 + x]
                        + blend[w2 + x] * line2[start2 + x]
                        + blend[w3 + x] * line3[start3 + x]
                    )
        out = restored[colour, y]
        for x in range(_U(0), columns):
            out[first + x] = total[x]


# With a signature Numba compiles, or loads what it compiled, at import: the first photo need not wait.
_RESTORE = (
    "void(f4[:,:,::1], f4[:,:,::1], UniTuple(i8, 2), Tuple((f4[:,:,::1], f4[:,::1], i8)),"
    "Tuple((f4[:,::1], f4[::1], f4[:,::1], f4[::1])), i8[::1], UniTuple(i8, 2),"
    "Tuple((f4[:,:,::1], f4[:,::1], f4[:,:,::1])))"
)


@partial(_compiled, signature=_RESTORE)
def restore_rows(features, padded, place, head, modulator, scales, rows, results):  # type: ignore[no-untyped-def]
    """Restore the two rows of pixels of each row of features of a part.

    Args:
        features: of the KPN, (h, w, C) float32. With twice as many as the head has weights for they are four parts:
            the features, their detail, and how much they change to the right and down. Then a corner's inputs are the
            features moved towards it, and the detail, which is half the work of weights for all four parts.
        padded: the image with a border of max(scales), float32, (3, at least 2·h, at least 2·w).
        place: row and column in it, border included, of the first pixel.
        head: of the KPN for each corner of 2×2 pixels: weights (4, O, C or C / 2), biases (4, O), and how many of the
            outputs are kernel values, 9 or 27.
        modulator: of the TAM for this photo: hidden weights (J, taps + 1), hidden biases (J,), weights (taps, J) and
            biases (taps,) of its output; these of no rows without a TAM.
        scales: (S,) integers.
        rows: of features, the first and the one after the last.
        results: written: restored (3, 2·h, 2·w), uncertainty (2·h, 2·w) and scale weights (S, 2·h, 2·w).
    """
    head_weight, head_bias, taps = head
    restored, uncertainty, scale_weights = results
    block, two = _U(_BLOCK), _U(2)
    width, channels, depth = _U(features.shape[1]), _U(features.shape[2]), _U(head_weight.shape[2])
    taps_, scales_, per_colour = _U(taps), _U(len(scales)), taps == _TAPS * _COLOURS
    hidden_rows, told, output_rows = _U(modulator[0].shape[0]), _U(modulator[0].shape[1]), _U(modulator[2].shape[0])
    source, part = np.zeros(depth * block, np.float32), (channels // _U(4) if channels > depth else _U(0)) * block
    parts = np.zeros(max(channels, depth) * block, np.float32)
    outputs = np.zeros((max(_U(head_weight.shape[1]), told) + _U(1)) * block, np.float32)
    hidden = np.zeros((hidden_rows + _U(1)) * block, np.float32)
    half = max(output_rows, taps_) * block
    kernels, all_kernels = np.zeros((2, half), np.float32), np.zeros(two * half, np.float32)
    fours = (scales_ + _U(3)) // _U(4) * _U(4)
    blend, all_blend = np.zeros((2, scales_ * block), np.float32), np.zeros(two * fours * block, np.float32)
    size = np.zeros((2, block), np.float32)
    for y in range(rows[0], rows[1]):
        for start in range(_U(0), width, block):
            columns = min(block, width - start)
            line = features[y]
            for x in range(_U(0), columns):
                for c in range(_U(0), channels):
                    parts[c * block + x] = line[start + x, c]
            for x in range(_U(0), depth * block):
                source[x] = parts[x]
            for down in range(2):
                for right in range(2):
                    corner, made = 2 * down + right, (kernels[right], blend[right], size[right])
                    _move(parts, part, _F(2 * right - 1), _F(2 * down - 1), source)
                    _mix(head_weight[corner], head_bias[corner], source, outputs, columns)
                    _operators(outputs, taps_, scales_, modulator, columns, hidden, made)
                _interleave(kernels[0], kernels[1], all_kernels, taps_ * block)
                _interleave(blend[0], blend[1], all_blend, scales_ * block)
                row, first = 2 * y + down, two * start
                _interleave(size[0], size[1], uncertainty[row, first:], columns)
                _store(all_blend, scale_weights, len(scales), row, first, two * columns)
                seen = place[0] + row, place[1] + np.int64(first)
                operators = all_kernels, all_blend
                _filter(padded, seen, operators, scales, per_colour, two * columns, restored, (row, first))
