using System;
using System.IO;

namespace Postern.Tests.Agent;

/// <summary>The material beside the repository; tests that need it are skipped where it is absent.</summary>
internal static class SharedFiles
{
    private static readonly string Root = FindRoot();

    public static string? Find(string name)
    {
        var path = Path.Combine(Root, "..", "shared", name);
        return File.Exists(path) ? path : null;
    }

    /// <summary>A file of the repository itself.</summary>
    public static string InRepository(string name) => Path.Combine(Root, name);

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Proxy.sln")))
            {
                return at.FullName;
            }
        }
        throw new InvalidOperationException("no Proxy.sln above " + AppContext.BaseDirectory);
    }
}

/// <summary>Skipped with the reason when the file is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute(string name)
    {
        if (SharedFiles.Find(name) is null)
        {
            Skip = $"../shared/{name} is not there";
        }
    }
}
