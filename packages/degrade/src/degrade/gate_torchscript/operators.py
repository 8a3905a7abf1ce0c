"""What the code of a degrader may name: operators that compute tensors from tensors, and nothing else.

Left out on purpose: whatever makes whole images from sizes alone (`zeros`, `empty`, `full`), whatever is random (noise
comes in as an input), whatever writes to a tensor it was given, and everything with a file or a process behind it.
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of `torch.NAME`. Their result is always new memory, so it may be overwritten (see IN_PLACE).
FRESH = _names("conv2d _convolution conv_transpose2d batch_norm instance_norm add sub mul div clone")

# Their result may be the memory of their first argument, seen in another shape.
VIEWS = _names("""
    view reshape flatten unflatten squeeze unsqueeze permute transpose movedim slice select narrow contiguous
    detach to type_as view_as reshape_as
""")

_COMPUTED = _names("""
    conv1d conv_transpose1d linear matmul mm bmm einsum im2col col2im
    relu relu6 leaky_relu prelu elu celu selu gelu silu mish hardtanh hardsigmoid hardswish softplus
    group_norm layer_norm softmax log_softmax sigmoid tanh
    pad constant_pad_nd reflection_pad2d replication_pad2d
    max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d pixel_shuffle pixel_unshuffle grid_sampler
    upsample_nearest2d _upsample_nearest_exact2d upsample_bilinear2d upsample_bicubic2d
    _upsample_bilinear2d_aa _upsample_bicubic2d_aa
    rsub neg abs sign square sqrt rsqrt pow exp log reciprocal sin cos erf floor ceil round trunc remainder fmod
    floor_divide floordiv clamp clamp_min clamp_max minimum maximum where lerp addcmul
    eq ne lt le gt ge logical_and logical_or logical_not zeros_like ones_like
    sum mean var std amax amin max min median norm argmax argmin all any
    cat stack flip roll rot90 index_select gather arange
    t split split_with_sizes chunk unbind expand expand_as broadcast_tensors unfold
""")

_SCALARS = _names("""
    tensor size dim len numel append format warn ScalarImplicit IntImplicit FloatImplicit Int Float Bool item
    is_floating_point __range_length __derive_index __getitem__ __contains__ __not__ __and__ __or__ __is__ __isnot__
""")

OPERATORS = FRESH | VIEWS | _COMPUTED | _SCALARS

# Of `ops.prim.NAME`.
PRIMITIVES = _names("NumToTensor RaiseException device dtype min max abs")

# Of `torch.NAME`. They overwrite their first argument: never an input, never a weight.
IN_PLACE = _names("relu_ leaky_relu_ elu_ silu_ hardtanh_ sigmoid_ tanh_ clamp_ add_ sub_ mul_ div_")

KEYWORDS = _names("alpha dtype layout device rounding_mode")  # never `out`, which overwrites a tensor

CASTS = _names("int float bool")
TYPES = _names("Tensor int float bool str number Device NoneType List Optional Tuple")

# Names with a meaning of their own, which no variable may take.
RESERVED = TYPES | _names("""
    torch ops CONSTANTS __torch__ self fork awaitable annotate unchecked_cast uninitialized range getattr hasattr
    isinstance print super inf nan infj nanj len min max abs all any zip enumerate list dict tuple
""")
