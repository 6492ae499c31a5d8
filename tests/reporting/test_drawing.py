from pipeline.reporting.collecting import Plot
from pipeline.reporting.drawing import draw


def test_the_name_of_a_class_does_not_end_the_script():
    rows = [{"actual": "</script><b>", "predicted": "dog"}]
    options = {"template": "confusion", "x": "predicted", "y": "actual"}
    [drawn] = draw(Plot(options, {"cnn": rows}), "classification/pets/confusion.csv", ["cnn"])

    assert drawn.count("</script>") == 1
    assert "<b>" in drawn
