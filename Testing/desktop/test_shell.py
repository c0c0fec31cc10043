"""All five tabs in one panel."""


def test_all_five_tabs_open(module, screenshot):
    shell = module.shell
    assert [shell.ui.tabs.tabText(n) for n in range(shell.ui.tabs.count)] == [
        "1 Images",
        "2 Segmentation",
        "3 CT",
        "4 VBQ",
        "5 Score",
    ]
    for n, panel in enumerate(shell.panels):
        shell.ui.tabs.currentIndex = n
        screenshot(module.parent, f"tab-{panel.name.lower()}", 520, 900)


def test_scene_close_and_reload_leave_every_tab_working(slicer_app, module):
    for _ in range(2):
        slicer_app.mrmlScene.Clear(False)
        module.exit()
        module.enter()
    assert not module.shell.ui.messageWhat.text, module.shell.ui.messageWhat.text


def test_only_the_tab_in_view_acts_on_slicers_views(module):
    """Segment Editor, shortcuts and placing points belong to the tab Segmentation alone."""
    shell = module.shell
    heard = []
    for panel in shell.panels:
        for name in ("enter", "exit"):
            setattr(panel, name, lambda text=f"{panel.name} {name}": heard.append(text))
    shell.ui.tabs.currentIndex = 1
    shell.ui.tabs.currentIndex = 2
    module.exit()
    module.enter()
    assert heard == [
        "Images exit",
        "Segmentation enter",
        "Segmentation exit",
        "CT enter",
        "CT exit",
        "CT enter",
    ]
