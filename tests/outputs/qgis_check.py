"""Run by the Python that has QGIS: opens the files of a run's folder as QGIS would and prints what it found, as JSON.

    python3 qgis_check.py FOLDER [PICTURE.png]
"""

import json
import sys
from pathlib import Path

from osgeo_utils.samples import validate_gpkg
from qgis.core import (
    QgsApplication,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize


def about(layer):
    """What a layer says of itself once it is open."""
    fields = layer.fields()
    if layer.renderer() is None:  # a GeoJSON without features has no kind of geometry
        return {"valid": layer.isValid(), "count": layer.featureCount(), "renderer": ""}
    return {"valid": layer.isValid(), "crs": layer.crs().authid(), "count": layer.featureCount(), "renderer": layer.renderer().type(),
            "named": layer.displayExpression(),
            "rules": [rule.label() for rule in layer.renderer().rootRule().children()] if layer.renderer().type() == "RuleRenderer" else [],
            "unruled": unruled(layer), "aliases": {f.name(): layer.attributeAlias(i) or f.alias() for i, f in enumerate(fields)},
            "bad": [f.id() for f in layer.getFeatures() if not f.geometry().isNull() and not f.geometry().isGeosValid()]}


def about_table(table):
    return {"valid": table.isValid(), "spatial": table.isSpatial(), "count": table.featureCount()}


def unruled(layer):
    """Features that not exactly one rule of the style draws, or with a symbol of another kind of geometry."""
    if layer.renderer().type() != "RuleRenderer":
        return -1
    rules = [QgsExpression(rule.filterExpression() or "true") for rule in layer.renderer().rootRule().children()]
    kinds = [rule.symbol().type() for rule in layer.renderer().rootRule().children()]  # marker, line, fill: as point, line, polygon
    assert not [rule.parserErrorString() for rule in rules if rule.hasParserError()]
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    missed = 0
    for feature in layer.getFeatures():
        context.setFeature(feature)
        drawn = [kind for rule, kind in zip(rules, kinds, strict=True) if rule.evaluate(context)]
        missed += drawn != [feature.geometry().type()]
    return missed


def main():
    folder = Path(sys.argv[1])
    app = QgsApplication([], False)
    app.initQgis()
    said = []
    app.messageLog().messageReceived.connect(lambda *told: said.append(list(map(str, told))))
    names = sorted(p.stem for p in folder.glob("*.qml"))
    found = {"gpkg": {}, "geojson": {}, "project": {}}
    for name in [*names, "paradas"]:
        found["gpkg"][name] = about(QgsVectorLayer(f"{folder}/plan.gpkg|layername={name}", name, "ogr"))
    for name in names:
        found["geojson"][name] = about(QgsVectorLayer(f"{folder}/{name}.geojson", name, "ogr"))
    for kind in ("LineString", "Point"):  # as QGIS opens a file of several kinds of geometry
        found["geojson"][f"rutas {kind}"] = about(QgsVectorLayer(f"{folder}/rutas.geojson|geometrytype={kind}", kind, "ogr"))
    found["tables"] = {name: about_table(QgsVectorLayer(f"{folder}/plan.gpkg|layername={name}", name, "ogr"))
                       for name in ("diccionario", "fuentes", "procedencia")}
    found["faults"] = list(map(str, validate_gpkg.check(str(folder / "plan.gpkg"))))
    project = QgsProject.instance()
    found["read"] = project.read(str(folder / "plan.qgz"))
    found["title"], found["crs"] = project.title(), project.crs().authid()
    layers = [node.layer() for node in project.layerTreeRoot().findLayers()]
    found["abstract"] = project.metadata().abstract()
    found["groups"] = [group.name() for group in project.layerTreeRoot().findGroups()]
    found["order"] = [layer.name() for layer in layers]
    for layer in layers:
        found["project"][layer.id().removeprefix("capa_planner_")] = about(layer) | {"source": layer.source()}
    if len(sys.argv) > 2:
        draw(project, sys.argv[2])
    found["said"] = said
    sys.stdout.write(json.dumps(found))
    project.clear()
    app.exitQgis()


def draw(project, picture):
    settings = QgsMapSettings()
    shown = [node.layer() for node in project.layerTreeRoot().findLayers() if node.isVisible()]
    settings.setLayers(shown)
    settings.setDestinationCrs(project.crs())
    settings.setOutputSize(QSize(1100, 1000))
    extent = next(layer for layer in shown if layer.name().startswith("Localidades")).extent()
    extent.scale(1.05)
    settings.setExtent(extent)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)


if __name__ == "__main__":
    main()
