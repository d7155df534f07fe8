"""Voltages of a radial grid from what its meters take: LinDistFlow.

Source: Baran and Wu 1989, simplified: losses left out, |V| squared falls along a branch by
2 (r P + x Q), where P and Q are what flows through it. On grids of this kind that is a few
hundredths of a volt high at usual load and one volt when all take their rated power at once; a
test compares it with a full power flow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voltstream.datasets.grid import Branch, Transformer
from voltstream.datasets.profiles import Floats

SOURCE_PU = 1.025  # Medium voltage as it is operated; SimBench's own set point.


class RadialGrid:
    """The low-voltage grid of one transformer, set up once for its nodes."""

    def __init__(self, transformer: Transformer, branches: Sequence[Branch]) -> None:
        self._transformer = transformer
        around: dict[str, list[tuple[str, Branch]]] = {}
        for branch in branches:
            around.setdefault(branch.node_a, []).append((branch.node_b, branch))
            around.setdefault(branch.node_b, []).append((branch.node_a, branch))
        root = transformer.node_lv
        self.places: dict[str, int] = {root: 0}
        order = [root]
        self._parents = [-1]
        # The transformer is the branch that feeds the root.
        ohms = [(transformer.r_ohm, transformer.x_ohm)]
        for node in order:
            for other, branch in around.get(node, ()):
                if other not in self.places:
                    self.places[other] = len(order)
                    order.append(other)
                    self._parents.append(self.places[node])
                    ohms.append((branch.r_ohm, branch.x_ohm))
        self._ohms = np.array(ohms)

    def volts(self, nodes: Sequence[str], p_mw: Floats, q_mw: Floats) -> Floats:
        """Return volts to neutral at the nodes, for each column of what is taken there.

        Units: MW and Mvar of all three phases, one row per entry of ``nodes``; volts. Law: a node
        that nothing feeds has 0.
        """
        at = np.array([self.places.get(node, -1) for node in nodes])
        fed = at >= 0
        flow_p = np.zeros((len(self._parents), p_mw.shape[1]))
        flow_q = np.zeros_like(flow_p)
        np.add.at(flow_p, at[fed], p_mw[fed])
        np.add.at(flow_q, at[fed], q_mw[fed])
        for place in range(len(self._parents) - 1, 0, -1):
            flow_p[self._parents[place]] += flow_p[place]
            flow_q[self._parents[place]] += flow_q[place]
        drop = 2 * (self._ohms[:, :1] * flow_p + self._ohms[:, 1:] * flow_q)
        source_kv = self._transformer.volts_lv_kv * SOURCE_PU * self._transformer.ratio
        squared = np.empty_like(drop)
        squared[0] = source_kv**2 - drop[0]
        for place in range(1, len(self._parents)):
            squared[place] = squared[self._parents[place]] - drop[place]
        volts = np.sqrt(np.maximum(squared, 0.0)) * 1000 / np.sqrt(3)
        found: Floats = np.where(fed[:, None], volts[at], 0.0)
        return found
