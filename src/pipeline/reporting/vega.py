"""Vega, which draws DVC's charts in a browser; DVC's own pages have it fetched from the network."""

import vl_convert


def script() -> str:
    """JavaScript that defines ``vegaEmbed``, to be put into a page."""
    libraries = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    assert "</script" not in libraries
    # Within a function, their thousands of names aren't the page's.
    return f"(() => {{{libraries}}})();"
