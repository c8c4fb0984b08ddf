using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using Postern.Agent.Compile;
using Postern.Agent.Identities;
using Postern.Agent.Model;

namespace Postern.Agent.Runtime;

/// <summary>
/// Owned by the main loop: the agent's folder, compiled. An agent that starts while the folder is bad goes on from the last good copy; without one
/// it changes nothing, for a policy that cannot be read would be a policy that is not there.
/// </summary>
internal sealed class FolderNodeSource : INodeSource
{
    private readonly string folder;
    private readonly string identityFile;
    private readonly LastGoodFolder lastGood;
    private readonly IdentityAllocator allocator;
    private readonly NodeCompiler compiler;
    private readonly Action<string> warn;
    private readonly ConditionalWeakTable<PolicyObject, PolicyText> texts = [];
    private NodeModel? model;
    private string? readHash;
    private NodeReading? reading;

    /// <param name="folder">YAML and JSON files.</param>
    /// <param name="stateFolder">For identities and the last good copy; exists.</param>
    /// <param name="warn">Gets a line when something could not be remembered.</param>
    public FolderNodeSource(string folder, string stateFolder, Action<string> warn)
    {
        this.folder = folder;
        this.warn = warn;
        identityFile = Path.Combine(stateFolder, "identities.json");
        lastGood = new LastGoodFolder(Path.Combine(stateFolder, "last-good"));
        allocator = IdentityAllocator.Load(identityFile, out var warning);
        if (warning is not null)
        {
            warn(warning);
        }
        compiler = new NodeCompiler(allocator);
    }

    public NodeReading Read()
    {
        // Before the files are read: what changes in between has another hash at the next look.
        var hash = FolderHash.Of(folder);
        if (reading is not null && hash is not null && hash == readHash)
        {
            return reading;
        }
        model ??= RestoreModel();
        var next = NodeFolder.Load(folder, model);
        var problems = new List<string>();
        foreach (var problem in next.Problems)
        {
            problems.Add(problem.ToString());
        }
        readHash = hash;
        if (model is null && problems.Count > 0)
        {
            return reading = new NodeReading(null, problems, []);
        }
        model = next;
        var node = compiler.Compile(next);
        Remember(isGood: problems.Count == 0);
        return reading = new NodeReading(node, problems, PolicyTexts.Of(next, folder, texts));
    }

    /// <summary>Reads a folder that no agent follows: nothing is remembered, and identities are numbered from the start.</summary>
    public static NodeReading ReadOnce(string folder)
    {
        var model = NodeFolder.Load(folder, null);
        var problems = new List<string>();
        foreach (var problem in model.Problems)
        {
            problems.Add(problem.ToString());
        }
        return new NodeReading(new NodeCompiler(new IdentityAllocator()).Compile(model), problems, PolicyTexts.Of(model, folder, []));
    }

    private NodeModel? RestoreModel()
    {
        if (!lastGood.Exists)
        {
            return null;
        }
        var restored = NodeFolder.Load(lastGood.Path, null);
        if (restored.Problems.Count > 0)
        {
            warn($"{lastGood.Path} cannot be used: {restored.Problems[0]}");
            return null;
        }
        return restored;
    }

    private void Remember(bool isGood)
    {
        try
        {
            allocator.Save(identityFile);
            if (isGood)
            {
                lastGood.Replace(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warn($"identities and the last good folder could not be remembered, a restart may number endpoints anew: {e.Message}; free or mend --state-dir");
        }
    }
}
