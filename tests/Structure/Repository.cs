using System;
using System.Collections.Generic;
using System.IO;

namespace Postern.Tests.Structure;

/// <summary>The source tree that these tests were built from, without what builds leave in it.</summary>
internal static class Repository
{
    private static readonly HashSet<string> Generated = new(StringComparer.Ordinal) { "bin", "obj", "out", "TestResults", "__pycache__" };

    /// <summary>Its folder: the first one upwards that holds Proxy.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Paths of all files, relative to <see cref="Root"/>, with slashes. Folders that begin with a dot are left out, but for .ci.</summary>
    public static IReadOnlyList<string> Files { get; } = List();

    /// <summary>C# sources of <c>src</c>, or of one folder in it.</summary>
    public static IEnumerable<string> Sources(string folder = "src")
    {
        foreach (var file in Files)
        {
            if (file.StartsWith(folder + "/", StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal))
            {
                yield return file;
            }
        }
    }

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    public static bool Exists(string path) => Path.Exists(Path.Combine(Root, path));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Proxy.sln")))
            {
                return folder.FullName;
            }
        }
        throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} holds Proxy.sln");
    }

    private static List<string> List()
    {
        var files = new List<string>();
        var folders = new Stack<string>([Root]);
        while (folders.TryPop(out var folder))
        {
            foreach (var file in Directory.EnumerateFiles(folder))
            {
                if (Path.GetFileName(file) == ".git")
                {
                    continue; // a linked work tree has a file there
                }
                files.Add(Path.GetRelativePath(Root, file).Replace('\\', '/'));
            }
            foreach (var child in Directory.EnumerateDirectories(folder))
            {
                var name = Path.GetFileName(child);
                if (!Generated.Contains(name) && (name[0] != '.' || name == ".ci"))
                {
                    folders.Push(child);
                }
            }
        }
        files.Sort(StringComparer.Ordinal);
        return files;
    }
}
