"""The map of similarities: cosines between 0 and 1 keep one scale of colours, so that two maps can be compared."""

import numpy as np
import pytest

from helpers import plots


@pytest.mark.parametrize("cosines, scale", [
    ([[1.0000001, 0.25], [0.25, 0.9999999]], (0, 1)),  # float32 rounds a cosine of 1 up, and not on every computer
    ([[1.0, 0.25], [0.25, 1.0]], (0, 1)),
    ([[1.0000001, -0.25], [-0.25, 1.0]], (-0.25, 1)),
    ([[1.01, 0.25], [0.25, 1.0]], (0.25, 1.01)),
])
def test_rounding_does_not_move_the_scale_of_colours(cosines, scale):
    figure = plots.figure_matrix(np.array(cosines, dtype="float32"), ["A", "B"], ["A", "B"])
    assert figure.axes[0].images[0].get_clim() == pytest.approx(scale, abs=1e-5)
