using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Postern.Agent.Model.Reading;
using Postern.Xds;
using Postern.Xds.Text;

namespace Postern.Agent.Model;

/// <summary>
/// Reads the agent's folder. Something that is wrong never removes what was in force: a file with a bad document keeps every object it had,
/// a file that cannot be read keeps all of them, and only a file that is gone takes its objects with it. A file that is empty of a sudden is being
/// written, and a folder without any file is not mounted: both keep what was in force, too.
/// </summary>
public static class NodeFolder
{
    private const int MaxFiles = 10_000;
    private const int MaxObjects = 200_000;

    private static readonly ConfigTextLimits Limits = new(MaxBytes: 16 << 20, MaxDepth: 64, MaxValues: 2_000_000);
    private static readonly string[] Suffixes = [".yaml", ".yml", ".json"];

    /// <summary>Reads every *.yaml, *.yml and *.json file of the folder, not of folders below it.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="previous">What is in force, or null at the start.</param>
    public static NodeModel Load(string directory, NodeModel? previous)
    {
        var problems = new List<ModelProblem>();
        List<string> files;
        try
        {
            files = [.. Directory.EnumerateFiles(directory)
                .Where(file => Suffixes.Contains(Path.GetExtension(file).ToLowerInvariant()) && Path.GetFileName(file)[0] != '.')
                .Take(MaxFiles + 1)
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problems.Add(new ModelProblem("", 0, 0, "", $"the folder {Printable.Clip(directory)} cannot be read: {Printable.Clip(e.Message)}"));
            return new NodeModel(previous?.Objects ?? [], problems);
        }
        if (files.Count > MaxFiles)
        {
            problems.Add(new ModelProblem("", 0, 0, "", $"the folder holds more than {MaxFiles} files; nothing of it is taken over"));
            return new NodeModel(previous?.Objects ?? [], problems);
        }
        if (files.Count == 0 && previous is { Objects.Count: > 0 })
        {
            problems.Add(new ModelProblem("", 0, 0, "", $"the folder {Printable.Clip(directory)} holds no file any more (is it mounted?); what it said stays in force; to end policing, stop the agent"));
            return new NodeModel(previous.Objects, problems);
        }
        var texts = new List<(string Name, Func<byte[]> Read)>();
        foreach (var file in files)
        {
            texts.Add((Path.GetFileName(file), () => ConfigDocument.ReadBytes(file, Limits)));
        }
        return Read(texts, previous, problems);
    }

    /// <summary>The same from texts in memory: name → content, in order.</summary>
    public static NodeModel Read(IEnumerable<(string Name, byte[] Content)> texts, NodeModel? previous) =>
        Read([.. texts.Select(text => (text.Name, (Func<byte[]>)(() => text.Content)))], previous, []);

    private static NodeModel Read(List<(string Name, Func<byte[]> Read)> texts, NodeModel? previous, List<ModelProblem> problems)
    {
        var before = (previous?.Objects ?? []).ToLookup(one => one.Source.File, StringComparer.Ordinal);
        var candidates = new List<NodeObject>();
        var doubtful = "";
        foreach (var (name, read) in texts)
        {
            var objects = ReadFile(name, read, problems, out var state);
            candidates.AddRange(objects);
            if (state != FileState.Bad && objects.Count == 0 && before[name].Any())
            {
                problems.Add(new ModelProblem(name, 1, 1, "", "is empty; what it said stays in force; to take that back, delete the file"));
                state = FileState.Bad;
            }
            if (state != FileState.Good)
            {
                AddKept(candidates, before[name], objects);
                doubtful = before.Contains(name) ? doubtful : name;
            }
        }
        if (doubtful.Length > 0)
        {
            KeepVanished(candidates, before, [.. texts.Select(text => text.Name)], doubtful, problems);
        }
        if (candidates.Count > MaxObjects)
        {
            problems.Add(new ModelProblem("", 0, 0, "", $"the folder holds more than {MaxObjects} objects; nothing of it is taken over"));
            return new NodeModel(previous?.Objects ?? [], problems);
        }
        var accepted = new ObjectAcceptance(previous).Accept(candidates, problems);
        return new NodeModel(accepted, problems);
    }

    // A file that is gone may have been renamed, and the one that cannot be understood may be it.
    private static void KeepVanished(List<NodeObject> candidates, ILookup<string, NodeObject> before, HashSet<string> present, string doubtful, List<ModelProblem> problems)
    {
        foreach (var file in before.Where(file => !present.Contains(file.Key)))
        {
            var count = candidates.Count;
            AddKept(candidates, file, candidates);
            if (candidates.Count > count)
            {
                problems.Add(new ModelProblem(file.Key, 1, 1, "", $"is gone; what it said stays in force while {Printable.Clip(doubtful)}, which may be the same file renamed, is empty or bad"));
            }
        }
    }

    private static void AddKept(List<NodeObject> candidates, IEnumerable<NodeObject> old, List<NodeObject> fresh)
    {
        var keys = fresh.Select(one => one.Key).ToHashSet();
        candidates.AddRange(old.Where(one => !keys.Contains(one.Key)).ToList());
    }

    private enum FileState
    {
        Good,

        /// <summary>Without a byte: just made, and being written.</summary>
        Blank,

        /// <summary>Something in it cannot be understood.</summary>
        Bad,
    }

    private static List<NodeObject> ReadFile(string name, Func<byte[]> read, List<ModelProblem> problems, out FileState state)
    {
        var objects = new List<NodeObject>();
        state = FileState.Good;
        try
        {
            var bytes = read();
            state = bytes.Length == 0 ? FileState.Blank : FileState.Good;
            var documents = ConfigDocument.ParseAll(bytes, name, Limits);
            foreach (var document in documents)
            {
                var found = new DocumentProblems(name);
                if (ObjectReader.Read(document, found) is { } one)
                {
                    objects.Add(one);
                }
                else
                {
                    state = FileState.Bad;
                }
                problems.AddRange(found.Problems);
            }
        }
        catch (XdsConfigException e)
        {
            problems.Add(new ModelProblem(name, e.Line, e.Column, e.Path, e.Reason));
            state = FileState.Bad;
        }
        return objects;
    }
}
